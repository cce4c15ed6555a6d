"""CVAT for images 1.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from lxml import etree

from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from tests.datasets.annotated import write
from tests.datasets.made import HOSTILE, read, records_of

XSD = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="flag">
    <xs:restriction base="xs:string">
      <xs:enumeration value="True"/><xs:enumeration value="False"/>
    </xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="filled">
    <xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction>
  </xs:simpleType>
  <xs:element name="annotations">
    <xs:complexType><xs:sequence>
      <xs:element name="version" type="xs:string" fixed="1.1"/>
      <xs:element name="meta">
        <xs:complexType><xs:sequence>
          <xs:element name="task" type="task"/>
          <xs:element name="dumped" type="xs:string" minOccurs="0"/>
        </xs:sequence></xs:complexType>
      </xs:element>
      <xs:element name="image" type="image" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType>
    <xs:unique name="ids"><xs:selector xpath="image"/><xs:field xpath="@id"/></xs:unique>
    <xs:key name="labels">
      <xs:selector xpath="meta/task/labels/label"/><xs:field xpath="name"/>
    </xs:key>
    <xs:keyref name="label" refer="labels">
      <xs:selector xpath="image/tag"/><xs:field xpath="@label"/>
    </xs:keyref>
  </xs:element>
  <xs:complexType name="task"><xs:all>
    <xs:element name="id" type="xs:nonNegativeInteger"/>
    <xs:element name="name" type="xs:string"/>
    <xs:element name="size" type="xs:nonNegativeInteger"/>
    <xs:element name="mode" type="xs:string" fixed="annotation"/>
    <xs:element name="overlap" type="xs:nonNegativeInteger"/>
    <xs:element name="bugtracker" type="xs:string"/>
    <xs:element name="flipped" type="flag"/>
    <xs:element name="labels">
      <xs:complexType><xs:sequence>
        <xs:element name="label" type="label" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence></xs:complexType>
    </xs:element>
  </xs:all></xs:complexType>
  <xs:complexType name="label"><xs:sequence>
    <xs:element name="name" type="filled"/>
    <xs:element name="attributes">
      <xs:complexType><xs:sequence>
        <xs:element name="attribute" minOccurs="0" maxOccurs="unbounded">
          <xs:complexType><xs:sequence>
            <xs:element name="name" type="filled"/>
            <xs:element name="mutable" type="flag"/>
            <xs:element name="input_type">
              <xs:simpleType><xs:restriction base="xs:string">
                <xs:enumeration value="select"/><xs:enumeration value="checkbox"/>
                <xs:enumeration value="radio"/><xs:enumeration value="number"/>
                <xs:enumeration value="text"/>
              </xs:restriction></xs:simpleType>
            </xs:element>
            <xs:element name="default_value" type="xs:string"/>
            <xs:element name="values" type="xs:string"/>
          </xs:sequence></xs:complexType>
        </xs:element>
      </xs:sequence></xs:complexType>
    </xs:element>
  </xs:sequence></xs:complexType>
  <xs:complexType name="image">
    <xs:sequence><xs:element name="tag" minOccurs="0" maxOccurs="unbounded">
      <xs:complexType>
        <xs:sequence><xs:element name="attribute" minOccurs="0" maxOccurs="unbounded">
          <xs:complexType><xs:simpleContent><xs:extension base="xs:string">
            <xs:attribute name="name" type="filled" use="required"/>
          </xs:extension></xs:simpleContent></xs:complexType>
        </xs:element></xs:sequence>
        <xs:attribute name="label" type="filled" use="required"/>
        <xs:attribute name="source" use="required">
          <xs:simpleType><xs:restriction base="xs:string">
            <xs:enumeration value="manual"/><xs:enumeration value="auto"/>
          </xs:restriction></xs:simpleType>
        </xs:attribute>
      </xs:complexType>
    </xs:element></xs:sequence>
    <xs:attribute name="id" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="name" type="filled" use="required"/>
    <xs:attribute name="width" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="height" type="xs:nonNegativeInteger" use="required"/>
  </xs:complexType>
</xs:schema>
"""
"""What https://docs.cvat.ai/docs/other/xml_format describes of tasks of images with tags."""

TAG = '<tag label="cat" source="manual"/>'


def cvat(folder: Path, images: str, head: str = "") -> Path:
    """Write a dataset of another program."""
    path = folder / "annotations.xml"
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n{head}<annotations><version>1.1</version>'
        f"<meta><task><name>x</name></task></meta>{images}</annotations>",
        "utf-8",
    )
    return path


def image(inner: str = TAG, name: str = "a.jpg", number: str = "0") -> str:
    """Return the element of an image."""
    return f'<image id="{number}" name="{name}" width="8" height="6">{inner}</image>'


def test_xml_is_valid_for_hostile_labels(tmp_path: Path) -> None:
    records = records_of(HOSTILE)
    path = write(tmp_path, "cvat", records)
    etree.XMLSchema(etree.fromstring(XSD)).assertValid(etree.parse(str(path)))


def test_another_parser_reads_names_and_labels(tmp_path: Path) -> None:
    labels = ["a \"q\" 'q'", "new\nline", "tab\t", "cr\rx", "<b>&amp;", "nul\0", "emo 🐱", "]]>"]
    names = [f"{i} <&\"'\n\t.jpg" for i in range(len(labels))]
    root = ElementTree.parse(write(tmp_path, "cvat", records_of(labels), names)).getroot()
    assert [each.get("name") for each in root.findall("image")] == names
    assert [each.get("label") for each in root.findall("image/tag")] == [
        each.replace("\0", "\ufffd") for each in labels
    ]
    assert [each.tag for each in root.findall("image")[0]] == ["tag"]
    assert root.findtext("meta/task/size") == str(len(labels))
    assert root.findtext("meta/task/name") == "my <photos>"
    assert {each.text for each in root.findall("meta/task/labels/label/name")} == {
        each.replace("\0", "\ufffd").replace("cr\rx", "cr\rx") for each in labels
    }


def test_tag_has_score_rank_and_wnid(tmp_path: Path) -> None:
    root = ElementTree.parse(write(tmp_path, "cvat", records_of(["cat"]))).getroot()
    (tag,) = root.findall("image/tag")
    assert tag.get("source") == "auto"
    assert {each.get("name"): each.text for each in tag} == {
        "score": "0.75",
        "rank": "1",
        "wnid": "n0",
    }


def test_photo_without_label_has_no_tag(tmp_path: Path) -> None:
    path = write(tmp_path, "cvat", [Record("../photos/a.jpg", model="net")])
    assert ElementTree.parse(path).find("image/tag") is None
    assert read(path, "cvat") == [Record("../photos/a.jpg", model="net")]


@pytest.mark.parametrize("name", ["a\x01.jpg", "\x0b.jpg", "\uffff.jpg"])
def test_name_that_xml_cannot_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="XML cannot have the name"):
        write(tmp_path, "cvat", records_of(["cat"]), [name])


def test_tag_of_a_person_counts_more_than_the_record(tmp_path: Path) -> None:
    path = write(tmp_path, "cvat", records_of(["cat", "dog", "fox"]))
    text = path.read_text()
    text = text.replace('<tag label="cat" source="auto">', '<tag label="lynx" source="manual">')
    text = text.replace('<tag label="dog" source="auto">', '<tag label="wolf" source="auto">')
    path.write_text(text)
    assert read(path, "cvat") == [
        Record("../photos/sub/0.png", (Prediction("n0", "lynx", 1.0),)),
        Record("../photos/sub/1.png", (Prediction("n1", "wolf", 0.75),)),
        records_of(["cat", "dog", "fox"])[2],
    ]


def test_export_of_cvat_is_read(tmp_path: Path) -> None:
    score = '<attribute name="score">0.5</attribute><attribute name="x"/>'
    path = cvat(
        tmp_path,
        image()
        + image(f'<tag label="dog" source="auto">{score}</tag>', "sub/b.jpg", "1")
        + image('<box label="fox" xtl="1"/><box label="fox"/><mask label="owl"/>', "c.jpg", "2")
        + image('<tag label="cat"/><tag label="dog"/><box label="fox"/>', "d.jpg", "3")
        + image("", "e.jpg", "4"),
    )
    found = read(path, "cvat")
    assert [each.path for each in found] == [
        str(tmp_path / name) for name in ("a.jpg", "sub/b.jpg", "c.jpg", "d.jpg", "e.jpg")
    ]
    assert [[(p.label, p.score) for p in each.predictions] for each in found] == [
        [("cat", 1.0)],
        [("dog", 0.5)],
        [("fox", 1.0), ("owl", 1.0)],
        [("cat", 1.0), ("dog", 1.0)],
        [],
    ]


def test_folder_of_an_export_has_its_images_in_a_subfolder(tmp_path: Path) -> None:
    cvat(tmp_path, image())
    assert read(tmp_path, "cvat")[0].path == str(tmp_path / "a.jpg")
    (tmp_path / "images").mkdir()
    assert read(tmp_path, "cvat")[0].path == str(tmp_path / "images" / "a.jpg")
    assert read(tmp_path, "cvat", base="/b")[0].path == "/b/a.jpg"


ENTITIES = "<!DOCTYPE annotations [<!ENTITY a 'aaaaaaaaaa'>{}]>".format(
    "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
)


@pytest.mark.parametrize(
    ("images", "head", "why"),
    [
        (image("<tag label='&i;'/>"), ENTITIES, "document type definition|not valid XML"),
        (image(), "<!DOCTYPE annotations SYSTEM 'file:///etc/passwd'>", "document type defini"),
        (image("<tag label='&x;'/>"), "", "not valid XML"),
        ("<track/>", "", "CVAT for video"),
        ("<image", "", "not valid XML"),
        ("<a>" * 300 + "</a>" * 300, "", "not valid XML"),
        (image(name="x" * 11_000_000), "", "not valid XML|too long"),
        (image(name="../../x"), "", r"image '0': the image '\.\./\.\./x' is not in the folder"),
        (image(name="/etc/passwd"), "", "is not in the folder"),
        (image(name=""), "", "name of its image is missing"),
        (image(number="x"), "", "image 'x': its ID is missing, or is not a number"),
        (image() * 2, "", "image '0': its ID occurs twice"),
        (image("<tag/>"), "", "image '0': the label of a tag is missing"),
        (image("<?mnv2 {?>"), "", "image '0': it is not valid JSON"),
        (image("<?mnv2 7?>"), "", "image '0': it is not an object"),
        (image('<?mnv2 {"path": NaN}?>'), "", "NaN is not a number of JSON"),
        (
            image('<tag label="a"><attribute name="score">7</attribute></tag>'),
            "",
            "image '0': its score is not between 0 and 1",
        ),
    ],
)
def test_hostile_xml_is_one_error(tmp_path: Path, images: Any, head: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read(cvat(tmp_path, images, head), "cvat")


def test_other_xml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text("<annotation><folder/></annotation>")
    with pytest.raises(InputError, match="it is not XML of CVAT"):
        read(path, "cvat")


def test_truncated_xml_is_refused_after_its_complete_images(tmp_path: Path) -> None:
    path = write(tmp_path, "cvat", records_of(["a", "b"]))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not valid XML"):
        read(path, "cvat")
