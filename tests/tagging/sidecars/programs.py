"""Sidecars in the layouts of photo programs.

The layout is that of each program's library: darktable and digiKam write with Exiv2's compact
form, Immich with exiftool, Lightroom and Capture One with Adobe's XMP Core, Windows with its own
writer. Properties, their order and their containers are what these programs write; the values are
ours.
"""

from __future__ import annotations

from tests.tagging.sidecars.material import BOM, XPACKET_ID, Sidecar

DARKTABLE_4 = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   exif:DateTimeOriginal="2023:06:04 11:20:51.000"
   xmp:Rating="4"
   xmpMM:DerivedFrom="IMG_1.cr2"
   darktable:import_timestamp="63821564402000000"
   darktable:change_timestamp="63821564733000000"
   darktable:export_timestamp="-1"
   darktable:print_timestamp="-1"
   darktable:xmp_version="5"
   darktable:raw_params="0"
   darktable:auto_presets_applied="1"
   darktable:history_end="2"
   darktable:iop_order_version="2"
   darktable:history_basic_hash="6d0f3c5be3a5b9d2f0e1d4c7a8b96051"
   darktable:history_current_hash="a90c1e7d2b3f48560718293a4b5c6d7e">
   <darktable:masks_history>
    <rdf:Seq>
     <rdf:li
      darktable:mask_num="1"
      darktable:mask_id="1685870400"
      darktable:mask_type="2"
      darktable:mask_name="gradient #1"
      darktable:mask_version="6"
      darktable:mask_points="0000003f0000003f00000000cdcc4c3e000000000000000001000000"
      darktable:mask_nb="1"
      darktable:mask_src="0000000000000000"/>
    </rdf:Seq>
   </darktable:masks_history>
   <darktable:history>
    <rdf:Seq>
     <rdf:li
      darktable:num="0"
      darktable:operation="rawprepare"
      darktable:enabled="1"
      darktable:modversion="2"
      darktable:params="00000000000000000000000000000000000200020002000200f03f0000000000"
      darktable:multi_name=""
      darktable:multi_name_hand_edited="0"
      darktable:multi_priority="0"
      darktable:blendop_version="13"
      darktable:blendop_params="gz08eJxjYGBgYAFiCQYYOOHEgAZY0QWAgBGLGANDgz0Ej1Q+dlAx6AEA1nMDMA=="/>
     <rdf:li
      darktable:num="1"
      darktable:operation="exposure"
      darktable:enabled="1"
      darktable:modversion="6"
      darktable:params="0000000080b9ba3a0000803f00004842000080c001000000"
      darktable:multi_name="sky &amp; sea"
      darktable:multi_name_hand_edited="1"
      darktable:multi_priority="1"
      darktable:blendop_version="13"
      darktable:blendop_params="gz08eJxjYGBgYAFiCQYYOOHEgAZY0QWAgBGLGANDgz0Ej1Q+dlAx6AEA1nMDMA=="/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Ålesund</rdf:li>
     <rdf:li>Norway</rdf:li>
     <rdf:li>cr2</rdf:li>
     <rdf:li>darktable</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Norway|Ålesund</rdf:li>
     <rdf:li>darktable|format|cr2</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

DARKTABLE_5 = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:darktable="http://darktable.sf.net/"
   exif:DateTimeOriginal="2025:02:11 08:00:00.000"
   xmp:Rating="1"
   xmpMM:DerivedFrom="IMG_1.jpg"
   darktable:import_timestamp="63874857600000000"
   darktable:change_timestamp="-1"
   darktable:export_timestamp="-1"
   darktable:print_timestamp="-1"
   darktable:xmp_version="5"
   darktable:raw_params="0"
   darktable:auto_presets_applied="0"
   darktable:history_end="0"
   darktable:iop_order_version="4">
   <darktable:masks_history>
    <rdf:Seq/>
   </darktable:masks_history>
   <darktable:history>
    <rdf:Seq/>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

_LIGHTROOM_NAMESPACES = """\
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
"""
LIGHTROOM = f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
{_LIGHTROOM_NAMESPACES}\
   tiff:Make="Canon"
   tiff:Model="Canon EOS 5D Mark IV"
   tiff:Orientation="1"
   exif:ExposureTime="1/250"
   exif:FNumber="56/10"
   exif:DateTimeOriginal="2024-05-11T10:32:05.17"
   xmp:ModifyDate="2024-05-11T10:32:05.17"
   xmp:CreatorTool="Adobe Photoshop Lightroom Classic 13.2 (Macintosh)"
   xmp:MetadataDate="2024-05-12T19:01:44+02:00"
   xmp:Rating="3"
   xmp:Label="Green"
   aux:Lens="EF24-70mm f/4L IS USM"
   photoshop:SidecarForExtension="CR2"
   xmpMM:DocumentID="xmp.did:0f8b6d3e-2a54-4f86-9c11-5a6b7c8d9e0f"
   xmpMM:OriginalDocumentID="5D3E0F8B6D2A544F869C115A6B7C8D9E"
   xmpMM:InstanceID="xmp.iid:7b1c0d2e-3f4a-4b5c-8d6e-7f8091a2b3c4"
   dc:format="image/x-canon-cr2"
   crs:Version="16.2"
   crs:ProcessVersion="15.4"
   crs:WhiteBalance="As Shot"
   crs:Exposure2012="+0.35"
   crs:Contrast2012="-5"
   crs:ToneCurveName2012="Linear"
   crs:HasSettings="True"
   crs:HasCrop="False"
   crs:AlreadyApplied="False"
   crs:RawFileName="IMG_1.CR2">
   <exif:ISOSpeedRatings>
    <rdf:Seq>
     <rdf:li>400</rdf:li>
    </rdf:Seq>
   </exif:ISOSpeedRatings>
   <exif:Flash
    exif:Fired="False"
    exif:Mode="2"
    exif:RedEyeMode="False"/>
   <xmpMM:History>
    <rdf:Seq>
     <rdf:li
      stEvt:action="derived"
      stEvt:parameters="converted from image/x-canon-cr2 to image/jpeg, saved to new location"/>
     <rdf:li
      stEvt:action="saved"
      stEvt:instanceID="xmp.iid:7b1c0d2e-3f4a-4b5c-8d6e-7f8091a2b3c4"
      stEvt:when="2024-05-12T19:01:44+02:00"
      stEvt:softwareAgent="Adobe Photoshop Lightroom Classic 13.2 (Macintosh)"
      stEvt:changed="/metadata"/>
    </rdf:Seq>
   </xmpMM:History>
   <dc:creator>
    <rdf:Seq>
     <rdf:li>Kari &lt;kari@example.org&gt;</rdf:li>
    </rdf:Seq>
   </dc:creator>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Harbour</rdf:li>
     <rdf:li>Places</rdf:li>
     <rdf:li>Salt &amp; pepper</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Places|Harbour</rdf:li>
     <rdf:li>Salt &amp; pepper</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <crs:ToneCurvePV2012>
    <rdf:Seq>
     <rdf:li>0, 0</rdf:li>
     <rdf:li>255, 255</rdf:li>
    </rdf:Seq>
   </crs:ToneCurvePV2012>
   <crs:Look>
    <rdf:Description
     crs:Name="Adobe Color"
     crs:Amount="1"
     crs:UUID="B952C231111CD8E0ECCF14B86BAA7077">
    <crs:Group>
     <rdf:Alt>
      <rdf:li xml:lang="x-default">Profiles</rdf:li>
     </rdf:Alt>
    </crs:Group>
    <crs:Parameters>
     <rdf:Description
      crs:Version="16.2"
      crs:ProcessVersion="15.4"
      crs:ConvertToGrayscale="False">
     <crs:ToneCurvePV2012>
      <rdf:Seq>
       <rdf:li>0, 0</rdf:li>
       <rdf:li>22, 16</rdf:li>
       <rdf:li>255, 255</rdf:li>
      </rdf:Seq>
     </crs:ToneCurvePV2012>
     </rdf:Description>
    </crs:Parameters>
    </rdf:Description>
   </crs:Look>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

_PADDING = (" " * 100 + "\n") * 20
LIGHTROOM_EMBEDDED = f"""\
<?xpacket begin="{BOM}" id="{XPACKET_ID}"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0-c000 1.000000, 0000/00/00-00:00:00">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   xmp:Rating="2"
   dc:format="image/jpeg">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Harbour</rdf:li>
     <rdf:li>Places</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Places|Harbour</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
{_PADDING}<?xpacket end="w"?>"""

DIGIKAM = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/"
    xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:mediapro="http://ns.iview-multimedia.com/mediapro/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
   digiKam:ImageUniqueID="5f1c7c0f6fd94b46a6d0ad7c5e4f4a11"
   digiKam:PickLabel="0"
   digiKam:ColorLabel="0"
   xmp:CreatorTool="digiKam-8.3.0"
   xmp:Rating="0"
   acdsee:categories="&lt;Categories&gt;&lt;Category Assigned=&quot;0&quot;&gt;Places&lt;Category \
Assigned=&quot;1&quot;&gt;Oslo&lt;/Category&gt;&lt;/Category&gt;&lt;/Categories&gt;"
   acdsee:rating="0"
   MicrosoftPhoto:Rating="0"
   tiff:Software="digiKam-8.3.0">
   <digiKam:TagsList>
    <rdf:Seq>
     <rdf:li>Places/Oslo</rdf:li>
     <rdf:li>People/Kari</rdf:li>
    </rdf:Seq>
   </digiKam:TagsList>
   <MicrosoftPhoto:LastKeywordXMP>
    <rdf:Bag>
     <rdf:li>Places/Oslo</rdf:li>
     <rdf:li>People/Kari</rdf:li>
    </rdf:Bag>
   </MicrosoftPhoto:LastKeywordXMP>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Places|Oslo</rdf:li>
     <rdf:li>People|Kari</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
   <mediapro:CatalogSets>
    <rdf:Bag>
     <rdf:li>Places|Oslo</rdf:li>
     <rdf:li>People|Kari</rdf:li>
    </rdf:Bag>
   </mediapro:CatalogSets>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Oslo</rdf:li>
     <rdf:li>Kari</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:RegionList>
     <rdf:Bag>
      <rdf:li rdf:parseType="Resource">
       <mwg-rs:Name>Kari</mwg-rs:Name>
       <mwg-rs:Type>Face</mwg-rs:Type>
       <mwg-rs:Area
        stArea:x="0.5"
        stArea:y="0.4"
        stArea:w="0.1"
        stArea:h="0.2"
        stArea:unit="normalized"/>
      </rdf:li>
     </rdf:Bag>
    </mwg-rs:RegionList>
   </mwg-rs:Regions>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

_PACKET = DIGIKAM.partition("\n")[2]
DIGIKAM_EMBEDDED = f'<?xpacket begin="{BOM}" id="{XPACKET_ID}"?>\n{_PACKET}<?xpacket end="w"?>'

IMMICH = f"""\
<?xpacket begin='{BOM}' id='{XPACKET_ID}'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='Image::ExifTool 13.00'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>

 <rdf:Description rdf:about=''
  xmlns:dc='http://purl.org/dc/elements/1.1/'>
  <dc:description>
   <rdf:Alt>
    <rdf:li xml:lang='x-default'>Kari&#39;s birthday</rdf:li>
   </rdf:Alt>
  </dc:description>
 </rdf:Description>

 <rdf:Description rdf:about=''
  xmlns:digiKam='http://www.digikam.org/ns/1.0/'>
  <digiKam:TagsList>
   <rdf:Seq>
    <rdf:li>Family/Kari</rdf:li>
    <rdf:li>birthday</rdf:li>
   </rdf:Seq>
  </digiKam:TagsList>
 </rdf:Description>

 <rdf:Description rdf:about=''
  xmlns:exif='http://ns.adobe.com/exif/1.0/'>
  <exif:DateTimeOriginal>2024-08-17T15:04:00.000+02:00</exif:DateTimeOriginal>
  <exif:GPSLatitude>59,54.8N</exif:GPSLatitude>
  <exif:GPSLongitude>10,45.2E</exif:GPSLongitude>
 </rdf:Description>

 <rdf:Description rdf:about=''
  xmlns:tiff='http://ns.adobe.com/tiff/1.0/'>
  <tiff:ImageDescription>
   <rdf:Alt>
    <rdf:li xml:lang='x-default'>Kari&#39;s birthday</rdf:li>
   </rdf:Alt>
  </tiff:ImageDescription>
 </rdf:Description>

 <rdf:Description rdf:about=''
  xmlns:xmp='http://ns.adobe.com/xap/1.0/'>
  <xmp:Rating>5</xmp:Rating>
 </rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end='w'?>"""

CAPTURE_ONE = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.5.0">
   <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about=""
            xmlns:xmp="http://ns.adobe.com/xap/1.0/"
            xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
            xmlns:dc="http://purl.org/dc/elements/1.1/"
            xmlns:lightroom="http://ns.adobe.com/lightroom/1.0/"
            xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/">
         <xmp:Rating>4</xmp:Rating>
         <xmp:Label>Red</xmp:Label>
         <photoshop:Urgency>1</photoshop:Urgency>
         <dc:rights>
            <rdf:Alt>
               <rdf:li xml:lang="x-default">© Kari</rdf:li>
            </rdf:Alt>
         </dc:rights>
         <dc:subject>
            <rdf:Bag>
               <rdf:li>studio</rdf:li>
               <rdf:li>Portrait</rdf:li>
            </rdf:Bag>
         </dc:subject>
         <lightroom:hierarchicalSubject>
            <rdf:Bag>
               <rdf:li>work|studio</rdf:li>
               <rdf:li>Portrait</rdf:li>
            </rdf:Bag>
         </lightroom:hierarchicalSubject>
         <Iptc4xmpCore:CreatorContactInfo rdf:parseType="Resource">
            <Iptc4xmpCore:CiEmailWork>kari@example.org</Iptc4xmpCore:CiEmailWork>
         </Iptc4xmpCore:CreatorContactInfo>
      </rdf:Description>
   </rdf:RDF>
</x:xmpmeta>
"""

RAWTHERAPEE = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
   xmp:Rating="2"
   xmp:Label="Blue"/>
 </rdf:RDF>
</x:xmpmeta>
"""

APPLE_PHOTOS = """\
<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">
   <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about=""
            xmlns:dc="http://purl.org/dc/elements/1.1/"
            xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">
         <dc:subject>
            <rdf:Seq>
               <rdf:li>cabin</rdf:li>
               <rdf:li>Kari</rdf:li>
            </rdf:Seq>
         </dc:subject>
         <dc:description>The cabin in winter</dc:description>
         <dc:title>Cabin</dc:title>
         <photoshop:DateCreated>2022-12-27T12:00:00+01:00</photoshop:DateCreated>
      </rdf:Description>
   </rdf:RDF>
</x:xmpmeta>
"""

_UUID = "uuid:faf5bdd5-ba3d-11da-ad31-d33d75182f1b"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
WINDOWS = (
    f"<?xpacket begin='{BOM}' id='{XPACKET_ID}'?>\r\n"
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">'
    f'<rdf:Description rdf:about="{_UUID}" xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/">'
    "<MicrosoftPhoto:DateAcquired>2023-07-21T13:00:39.338</MicrosoftPhoto:DateAcquired>"
    f'<MicrosoftPhoto:LastKeywordXMP><rdf:Bag xmlns:rdf="{_RDF}"><rdf:li>ferie</rdf:li>'
    "<rdf:li>båt</rdf:li></rdf:Bag>\r\n\t\t\t</MicrosoftPhoto:LastKeywordXMP></rdf:Description>"
    f'<rdf:Description rdf:about="{_UUID}" xmlns:dc="http://purl.org/dc/elements/1.1/"/>'
    f'<rdf:Description rdf:about="{_UUID}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    f'<dc:subject><rdf:Bag xmlns:rdf="{_RDF}"><rdf:li>ferie</rdf:li><rdf:li>båt</rdf:li></rdf:Bag>'
    "\r\n\t\t\t</dc:subject></rdf:Description>"
    f'<rdf:Description rdf:about="{_UUID}" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
    "<xmp:Rating>3</xmp:Rating></rdf:Description></rdf:RDF></x:xmpmeta>\r\n"
    + (" " * 100 + "\n") * 4
    + "<?xpacket end='w'?>"
)

PROGRAMS = (
    Sidecar(
        "darktable 4",
        DARKTABLE_4.encode(),
        "IMG_1.cr2.xmp",
        subjects=("Ålesund", "Norway", "cr2", "darktable"),
        hierarchy=("Norway|Ålesund", "darktable|format|cr2"),
    ),
    Sidecar("darktable 5", DARKTABLE_5.encode()),
    Sidecar(
        "Lightroom",
        LIGHTROOM.encode(),
        "IMG_1.xmp",
        subjects=("Harbour", "Places", "Salt & pepper"),
        hierarchy=("Places|Harbour", "Salt & pepper"),
    ),
    Sidecar(
        "Lightroom, embedded",
        LIGHTROOM_EMBEDDED.encode(),
        subjects=("Harbour", "Places"),
        hierarchy=("Places|Harbour",),
    ),
    Sidecar(
        "digiKam",
        DIGIKAM.encode(),
        subjects=("Oslo", "Kari"),
        hierarchy=("Places|Oslo", "People|Kari"),
        tags_list=("Places/Oslo", "People/Kari"),
    ),
    Sidecar(
        "digiKam, embedded",
        DIGIKAM_EMBEDDED.encode(),
        subjects=("Oslo", "Kari"),
        hierarchy=("Places|Oslo", "People|Kari"),
        tags_list=("Places/Oslo", "People/Kari"),
    ),
    Sidecar("Immich", IMMICH.encode(), tags_list=("Family/Kari", "birthday")),
    Sidecar(
        "Capture One",
        CAPTURE_ONE.encode(),
        "IMG_1.xmp",
        subjects=("studio", "Portrait"),
        hierarchy=("work|studio", "Portrait"),
    ),
    Sidecar("RawTherapee", RAWTHERAPEE.encode(), "IMG_1.xmp"),
    Sidecar("Apple Photos", APPLE_PHOTOS.encode(), "IMG_1.xmp", subjects=("cabin", "Kari")),
    Sidecar("Windows, embedded", WINDOWS.encode(), subjects=("ferie", "båt")),
)
