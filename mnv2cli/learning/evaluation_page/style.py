"""The style sheet of the page, for phones and desktops, light and dark."""

STYLE = """
:root{--back:#fff;--text:#1c2024;--dim:#5f6770;--line:#dfe3e8;--panel:#f5f7f9;--right:#1a7f4b;
--wrong:#c62f2f;--before:#c2570c;--after:#1f6feb;--on:#fff}
@media(prefers-color-scheme:dark){:root{--back:#14171a;--text:#e6e9ec;--dim:#9aa4ae;--line:#31373d;
--panel:#1e2327;--right:#2fa567;--wrong:#e25c5c;--before:#f09a52;--after:#6cabff;--on:#0d1012}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif;
overflow-wrap:anywhere}
main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.2rem;margin:2.2rem 0 .4rem}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
p{margin:.3rem 0 .8rem;max-width:44rem}
.lead,footer,small{color:var(--dim)}
footer{margin-top:3rem;font-size:.85rem}
.warning{color:var(--wrong)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.7rem;
margin:1.2rem 0}
.figures div{background:var(--panel);border-radius:.6rem;padding:.7rem .9rem;display:flex;
flex-direction:column}
dt{color:var(--dim);font-size:.85rem}
dd{margin:0;font-size:1.6rem;font-weight:600;line-height:1.3}
dd small{display:block;font-size:.8rem;font-weight:400;line-height:1.35}
.photos{list-style:none;margin:0;padding:0;display:grid;
grid-template-columns:repeat(auto-fill,minmax(8.25rem,1fr));gap:1rem .8rem}
.photos li{font-size:.85rem;line-height:1.35}
.photos img,.photos .none{display:block;width:100%;height:auto;aspect-ratio:1;border-radius:.4rem;
background:var(--panel);margin-bottom:.3rem}
.photos .none{display:grid;place-items:center;color:var(--dim)}
.photos b{color:var(--wrong)}
.photos span:not(.none),.photos small{display:block}
summary{cursor:pointer}
summary h2{display:inline}
details{margin-top:2.2rem}
.scroll{overflow-x:auto}
svg{display:block;max-width:none}
svg text{font:12px system-ui,sans-serif;fill:var(--text)}
.empty{fill:var(--panel)}
rect.right{fill:var(--right)}
rect.wrong{fill:var(--wrong)}
svg .number{text-anchor:middle;font-size:12px}
svg .strong{fill:var(--on);font-weight:600}
.grid{stroke:var(--line);fill:none}
.ideal{stroke:var(--dim);stroke-dasharray:4 4;fill:none}
.line{fill:none;stroke-width:1.5;stroke-opacity:.6}
path.before{stroke:var(--before)}
path.after{stroke:var(--after)}
circle.before{fill:var(--before)}
circle.after{fill:var(--after)}
.legend i{display:inline-block;width:.75em;height:.75em;border-radius:50%}
i.before{background:var(--before)}
i.after{background:var(--after)}
table{border-collapse:collapse;font-size:.95rem}
th,td{text-align:left;padding:.3rem 1.1rem .3rem 0;border-bottom:1px solid var(--line)}
td:first-child{min-width:8rem}
th{font-weight:600;color:var(--dim);font-size:.85rem}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{display:inline-block;min-width:7rem;padding:0 .4rem;border-radius:.25rem;
background:linear-gradient(to right,color-mix(in srgb,var(--right) 30%,transparent)
calc(var(--share)*100%),var(--panel) 0)}
@media(max-width:34rem){table{font-size:.85rem}th,td{padding-right:.6rem}td:first-child{min-width:4rem}
.bar{min-width:4rem}}
@media print{.scroll{overflow:visible}}
"""
