"""The demo catalogue: about sixty parts of the families, as a manufacturer would list them.

Several sizes of most, numbers by department (R rings, P pendants, E earrings, B bangles,
G gears, F fasteners ...), names in both languages, categories with their prompts.
Deterministic; knows no database.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.families.registry import FAMILIES
from catalog.families.types import Look, Value, family_make
from catalog.families.words import CATEGORIES, CategoryWords


@dataclass(frozen=True)
class DemoPart:
    """One part as the catalogue stores it; `triangles` (n, 3, 3) float32 in millimetres."""

    number: str
    family: str
    category: str
    name_en: str
    name_zh: str
    tags: tuple[str, ...]
    description_en: str
    description_zh: str
    triangles: NDArray[np.float32]


@dataclass(frozen=True)
class _Row:
    number: str
    family: str
    name_en: str
    name_zh: str
    tags: str
    parameters: dict[str, Value] = field(default_factory=dict)


def _row(number: str, family: str, en: str, zh: str, tags: str, **parameters: Value) -> _Row:
    return _Row(number, family, en, zh, tags, parameters)


_BOLT: dict[str, Value] = {"style": "helical", "plain": 0.0, "washer": False}
_SOLITAIRE: dict[str, Value] = {
    "bore": 16.5, "width": 2.0, "seat": "prong", "claws": 4, "style": "domed", "cathedral": False,
}  # fmt: skip
_GEAR: dict[str, Value] = {"face": 6.0, "bore": 0.25, "key": True}

ROWS: tuple[_Row, ...] = (
    _row("R8107410", "plain_band", "Plain wedding band 4 mm", "素圈婚戒 4mm", "ring band 婚戒",
         bore=17.0, width=4.0, thick=1.7, style="domed"),
    _row("R8107412", "plain_band", "Flat band ring 6 mm", "平面素圈戒指 6mm", "ring band 男戒",
         bore=19.0, width=6.0, thick=1.9, style="flat"),
    _row("R8107420", "solitaire_ring", "Solitaire ring, round diamond", "單鑽戒指 圓形鑽石",
         "ring diamond 鑽戒", stone=6.0, cut="round", **_SOLITAIRE),
    _row("R8107422", "solitaire_ring", "Solitaire ring, princess cut", "單鑽戒指 公主方鑽",
         "ring diamond 鑽戒", stone=5.5, cut="princess", **_SOLITAIRE),
    _row("R8107424", "solitaire_ring", "Solitaire ring, heart diamond", "單鑽戒指 心形鑽石",
         "ring diamond heart 鑽戒 心形", stone=6.5, cut="heart", **_SOLITAIRE),
    _row("R8107430", "halo_ring", "Halo ring, oval diamond", "光環戒指 橢圓主石",
         "ring halo 圍鑲", bore=16.5, stone=6.0, cut="oval", small=1.2, width=2.0),
    _row("R8107440", "three_stone_ring", "Three-stone ring", "三石戒指", "ring diamond 三鑽",
         bore=16.5, stone=5.0, side=0.75, cut="round", width=2.4),
    _row("R8107450", "signet_ring", "Oval signet ring", "橢圓印章戒指", "ring men 男戒",
         bore=19.5, top=13.0, face="oval", width=3.4, rim=True),
    _row("R8107460", "eternity_ring", "Eternity ring", "永恆排鑽戒", "ring diamond 排戒",
         bore=17.0, stone=2.4, cut="round", half=False),
    _row("R8107490", "twisted_ring", "Twisted rope ring", "麻花扭紋戒指", "ring rope 扭紋",
         bore=17.0, thick=2.6, strands=2, turns=12, plain=False),
    _row("B2100210", "bangle", "Round bangle 6 mm", "圓形手鐲 6mm", "bangle 手環",
         bore=60.0, width=6.0, thick=4.0, style="wire", oval=1.0),
    _row("B2100214", "bangle", "Wide flat bangle 18 mm", "寬版手鐲 18mm", "bangle 手環",
         bore=62.0, width=18.0, thick=2.6, style="flat", oval=1.0),
    _row("B2100230", "cuff_bracelet", "Open cuff with ball ends", "開口珠頭手環", "cuff 開口",
         bore=58.0, width=5.0, thick=4.0, gap=45.0, oval=0.85, ends="ball", style="wire"),
    _row("P3300110", "heart_pendant", "Puffed heart pendant", "立體愛心吊墜", "pendant 愛心",
         size=16.0, thick=0.12, how="puffed", hung="ring", notch=1.0),
    _row("P3300112", "heart_pendant", "Open heart pendant with stones", "鑲鑽愛心吊墜",
         "pendant diamond 愛心", size=18.0, thick=0.1, how="stones", hung="loop", notch=1.0),
    _row("P3300120", "cross_pendant", "Cross pendant 24 mm", "十字架吊墜 24mm", "pendant 十字架",
         size=24.0, thick=0.1, how="flat", hung="ring", wide=0.66, bar=0.2, ends="flared"),
    _row("P3300130", "star_pendant", "Five-pointed star pendant", "五角星吊墜", "pendant 星星",
         size=18.0, thick=0.1, how="flat", hung="ring", points=5, inner=0.45),
    _row("P3300140", "teardrop_pendant", "Teardrop pendant", "水滴吊墜", "pendant 水滴",
         size=20.0, thick=0.12, how="solid", hung="loop", bulb=0.32),
    _row("E4400110", "hoop_earring", "Hoop earring 30 mm", "圈形耳環 30mm", "earring 圓圈",
         size=30.0, thick=0.08, kind="wire", oval=1.0),
    _row("E4400120", "stud_earring", "Diamond stud earring", "單鑽耳釘", "earring diamond 耳針",
         stone=5.0, cut="round", seat="prong", back=True),
    _row("E4400130", "drop_earring", "Drop earring, teardrop", "水滴垂墜耳環", "earring 耳鉤",
         size=16.0, shape="teardrop", links=2, cut="pear"),
    _row("G5200120", "spur_gear", "Spur gear module 1, 20 teeth", "正齒輪 模數1 20齒", "gear 齒輪",
         module=1.0, teeth=20, web="solid", hub="one", **_GEAR),
    _row("G5200140", "spur_gear", "Spur gear module 1, 40 teeth", "正齒輪 模數1 40齒", "gear 齒輪",
         module=1.0, teeth=40, web="holes", hub="none", **_GEAR),
    _row("G5200160", "spur_gear", "Spur gear module 2, 60 teeth", "正齒輪 模數2 60齒", "gear 齒輪",
         module=2.0, teeth=60, web="spokes", hub="one", **_GEAR),
    _row("G5200224", "helical_gear", "Helical gear, 24 teeth", "斜齒輪 24齒", "gear helical",
         module=1.5, teeth=24, angle=20.0, web="solid", hub="one", **_GEAR),
    _row("G5200330", "bevel_gear", "Bevel gear, 30 teeth", "傘齒輪 30齒", "gear bevel 錐齒輪",
         module=1.5, teeth=30, cone=0.7, face=0.32, bore=0.3, spiral=0.0),
    _row("G5200410", "gear_rack", "Gear rack, 20 teeth", "齒條 20齒", "rack 齒條",
         module=1.5, teeth=20, face=8.0, back=3.0, slant=0.0, holes=True),
    _row("F6008020", "hex_bolt", "Hex bolt M8 x 20", "六角螺栓 M8x20", "bolt M8",
         d=8, length=2.5, **_BOLT),
    _row("F6008040", "hex_bolt", "Hex bolt M8 x 40", "六角螺栓 M8x40", "bolt M8",
         d=8, length=5.0, **_BOLT),
    _row("F6010060", "hex_bolt", "Hex bolt M10 x 60", "六角螺栓 M10x60", "bolt M10",
         d=10, length=6.0, **{**_BOLT, "plain": 0.35}),
    _row("F6010110", "carriage_bolt", "Carriage bolt M8 x 50", "馬車螺栓 M8x50", "bolt M8 方頸",
         d=8, length=6.25, style="helical", plain=0.3),
    _row("F6020620", "socket_cap_screw", "Socket head cap screw M6 x 20", "內六角螺栓 M6x20",
         "screw M6 內六角", d=6, length=3.33, style="helical", plain=0.0, knurled=False),
    _row("F6020420", "countersunk_screw", "Countersunk screw M4 x 20", "沉頭螺絲 M4x20",
         "screw M4 十字", d=4, length=5.0, style="helical", drive="phillips"),
    _row("F6030435", "wood_screw", "Wood screw 4 x 35", "木螺絲 4x35", "screw 木工",
         d=4, length=8.75, head="csk", drive="phillips", plain=0.3),
    _row("F6100006", "hex_nut", "Hex nut M6", "六角螺帽 M6", "nut M6",
         d=6, height=0.8, threaded=True),
    _row("F6100008", "hex_nut", "Hex nut M8", "六角螺帽 M8", "nut M8",
         d=8, height=0.8, threaded=True),
    _row("F6110006", "wing_nut", "Wing nut M6", "蝶形螺帽 M6", "nut M6 蝴蝶",
         d=6, span=2.0, threaded=True),
    _row("F6120008", "cap_nut", "Cap nut M8", "蓋形螺帽 M8", "nut M8 蓋帽",
         d=8, dome=0.65, threaded=True),
    _row("F6200008", "flat_washer", "Flat washer M8", "平墊圈 M8", "washer M8 華司",
         d=8, outer=2.0, thick=0.2),
    _row("F6200010", "flat_washer", "Flat washer M10", "平墊圈 M10", "washer M10 華司",
         d=10, outer=2.0, thick=0.2),
    _row("F6210008", "spring_washer", "Spring washer M8", "彈簧墊圈 M8", "washer M8 彈簧華司",
         d=8, rise=0.2, wire_=0.3),
    _row("A7100608", "ball_bearing", "Deep groove ball bearing 608", "深溝滾珠軸承 608",
         "bearing 培林", bore=8, outer=2.75, wide=0.5, balls=7, closed="shield", flange=False),
    _row("A7106204", "ball_bearing", "Deep groove ball bearing 6204", "深溝滾珠軸承 6204",
         "bearing 培林", bore=20, outer=2.35, wide=0.45, balls=8, closed="open", flange=False),
    _row("A7120204", "pillow_block", "Pillow block bearing 20 mm", "帶座軸承 20mm",
         "bearing 軸承座", bore=20, long=5.4, wide=1.3, balls=True),
    _row("A7200010", "stepped_shaft", "Stepped shaft 20 mm", "階梯軸 20mm", "shaft 軸",
         d=20.0, long=8.0, steps=3, swell=1.4, key=True, centre=True),
    _row("A7210030", "jaw_coupling", "Jaw coupling 30 mm", "爪型聯軸器 30mm", "coupling 聯軸節",
         d=30.0, jaws=3, long=0.6, half=True, bore=0.4),
    _row("S5500110", "coil_spring", "Compression spring 12 x 40", "壓縮彈簧 12x40", "spring 彈簧",
         d=12.0, wire_=0.12, turns=9.0, pitch=2.6, cone=False, ends="ground"),
    _row("L7300050", "weld_neck_flange", "Weld-neck flange DN50", "對焊法蘭 DN50", "flange DN50",
         bore=50, outer=2.6, thick=0.3, bolts=4, face=True, neck=0.6),
    _row("L7300080", "slip_on_flange", "Slip-on flange DN80", "平焊法蘭 DN80", "flange DN80",
         bore=80, outer=2.3, thick=0.22, bolts=8, face=True, hub=0.0),
    _row("L7310025", "elbow_90", "Pipe elbow 90 degrees DN25", "90度彎頭 DN25", "elbow DN25 管件",
         bore=25, wall=0.1, radius=1.2, leg=0.3, end="collar"),
    _row("L7310125", "pipe_tee", "Pipe tee DN25", "三通 DN25", "tee DN25 管件",
         bore=25, wall=0.1, length=1.4, end="collar"),
    _row("L7320020", "ball_valve", "Ball valve DN20", "球閥 DN20", "valve DN20 閥門",
         bore=20, long=3.0, end="hex", lever=2.6, turn=0.0, butterfly=False),
    _row("K7400060", "l_bracket", "L bracket 60 mm", "L型支架 60mm", "bracket 角碼",
         size=60.0, wide=0.45, thick=0.07, count=2, round_=True, other=0.8, rib=False),
    _row("K7400090", "l_bracket", "L bracket 90 mm with gusset", "L型加強支架 90mm", "bracket 角碼",
         size=90.0, wide=0.5, thick=0.07, count=3, round_=False, other=0.9, rib=True),
    _row("K7410040", "u_bracket", "U bracket 40 mm", "U型支架 40mm", "bracket 固定座",
         size=40.0, wide=0.6, thick=0.08, count=2, round_=True, rise=0.9),
    _row("K7500110", "control_knob", "Mushroom drawer knob", "圓頭抽屜旋鈕", "knob 把手",
         size=30.0, tall=0.9, kind="mushroom", pointer=False),
    _row("K7500120", "star_knob", "Star knob M8", "星形旋鈕 M8", "knob M8 梅花",
         size=50.0, count=5, deep=0.2, stud="short", tall=0.4),
    _row("K7600010", "coat_hook", "Coat hook", "衣帽鉤", "hook 掛鉤",
         size=70.0, count=1, thick=0.08, plate="oval", tip=True),
    _row("H8100010", "vase", "Amphora vase 200 mm", "甕形花瓶 200mm", "vase 花瓶",
         height=200.0, slim=0.6, shape="amphora", foot=True),
    _row("H8100020", "twisted_vase", "Twisted vase 180 mm", "扭轉花瓶 180mm", "vase 花瓶",
         height=180.0, slim=0.65, shape="barrel", lobes=8, deep=0.16, turns=0.25, kind="wave"),
    _row("H8200010", "mug", "Coffee mug", "咖啡馬克杯", "mug 杯子",
         height=95.0, wide=0.43, shape="straight", grip="C", foot=False),
    _row("H8200014", "mug", "Tapered tea mug", "錐形茶杯", "mug 杯子",
         height=85.0, wide=0.5, shape="taper", grip="ear", foot=False),
    _row("H8300010", "ring_box", "Ring box", "戒指盒", "box 首飾盒",
         size=55.0, tall=0.5, open_=75.0, round_=0.12, ring=True),
    _row("H9100010", "dining_chair", "Dining chair", "餐椅", "chair furniture 椅子",
         wide=440.0, seat=450.0, back=460.0, kind="tapered", rails="slats", arms=False, splay=20.0),
    _row("H9100030", "stool", "Bar stool", "高腳凳", "stool furniture 吧檯",
         seat=320.0, height=720.0, count=4, kind="round", shape="round", ring=True),
    _row("H9200010", "dining_table", "Dining table 1400", "餐桌 1400", "table furniture 桌子",
         long=1400.0, deep=0.55, height=740.0, kind="square", apron=True, thick=30.0),
)  # fmt: skip

DEMO_CATEGORIES: tuple[CategoryWords, ...] = tuple(
    category
    for key, category in CATEGORIES.items()
    if any(FAMILIES[row.family].category == key for row in ROWS)
)


def demo_parts() -> list[DemoPart]:
    """The demo catalogue, in about a second."""
    return [_part(row, Look(n=48)) for row in ROWS]


def _part(row: _Row, look: Look) -> DemoPart:
    family = FAMILIES[row.family]
    sample = family_make(family, look, **row.parameters)
    x, y, z = np.ptp(sample.triangles.reshape(-1, 3), axis=0)
    size = f"{x:.1f} x {y:.1f} x {z:.1f} mm"
    return DemoPart(
        number=row.number,
        family=row.family,
        category=family.category,
        name_en=row.name_en,
        name_zh=row.name_zh,
        tags=tuple(row.tags.split()),
        description_en=f"{row.name_en}: {family.phrases.en[-1]}. Size {size}.",
        description_zh=f"{row.name_zh}，{family.phrases.zh_hant[-1]}。尺寸 {size}。",
        triangles=sample.triangles,
    )


_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def stl_bytes(triangles: NDArray[np.float32]) -> bytes:
    """(n, 3, 3) triangles as a binary STL file with unit normals (zero where there is no area)."""
    records = np.zeros(len(triangles), _RECORD)
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    normal = np.cross(b - a, c - a)
    long = np.linalg.norm(normal, axis=1, keepdims=True)
    records["normal"] = np.divide(normal, long, out=np.zeros_like(normal), where=long > 0)
    records["corners"] = triangles
    head = b"STL Catalog demo part".ljust(80)
    return head + np.uint32(len(triangles)).tobytes() + records.tobytes()
