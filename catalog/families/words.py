"""Words shared by all families, in English, Traditional (Taiwan) and Simplified Chinese.

Categories, the values of parameters, and the adjectives of large and small values.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Names(NamedTuple):
    """One thing said in the three scripts: zh_hant as in Taiwan, zh_hans as on the mainland."""

    en: str
    zh_hant: str
    zh_hans: str


@dataclass(frozen=True)
class CategoryWords:
    """A shelf of the catalogue; `prompts` describe its shapes to an encoder of words."""

    key: str
    names: Names
    prompts: tuple[str, ...]


def _category(key: str, names: str, *prompts: str) -> CategoryWords:
    return CategoryWords(key, Names(*names.split("|")), prompts)


CATEGORIES: dict[str, CategoryWords] = {
    c.key: c
    for c in (
        _category("ring", "Rings|戒指|戒指", "a finger ring", "a jewelry ring with gems", "戒指"),
        _category("bracelet", "Bangles|手鐲|手镯", "a bangle or bracelet", "a cuff", "手鐲"),
        _category("pendant", "Pendants|吊墜|吊坠", "a pendant with a bail", "a charm", "吊墜"),
        _category("earring", "Earrings|耳環|耳环", "an earring", "a hoop or stud", "耳環"),
        _category("chain", "Chains|鏈條|链条", "chain links", "a necklace chain", "鏈條"),
        _category("accessory", "Accessories|飾品|饰品", "a brooch", "a cufflink", "飾品"),
        _category("gem", "Gemstones|寶石|宝石", "a faceted gemstone", "a cut diamond", "寶石"),
        _category("bolt", "Bolts|螺栓|螺栓", "a bolt with a threaded shank", "螺栓"),
        _category("screw", "Screws|螺絲|螺丝", "a screw with a driven head", "螺絲"),
        _category("nut", "Nuts|螺帽|螺母", "a nut with a threaded hole", "螺帽"),
        _category("washer", "Washers|墊圈|垫圈", "a washer", "a thin flat ring", "墊圈"),
        _category("pin", "Pins and rivets|銷與鉚釘|销与铆钉", "a pin", "a rivet", "插銷"),
        _category("gear", "Gears|齒輪|齿轮", "a gear wheel with teeth", "a machine gear", "齒輪"),
        _category("pulley", "Pulleys and sprockets|帶輪與鏈輪|带轮与链轮", "a pulley", "帶輪"),
        _category("shaft", "Shafts and couplings|軸與聯軸器|轴与联轴器", "a shaft", "聯軸器"),
        _category("bearing", "Bearings|軸承|轴承", "a bearing with balls", "a bushing", "軸承"),
        _category("flange", "Flanges|法蘭|法兰", "a pipe flange with bolt holes", "法蘭"),
        _category("fitting", "Pipe fittings|管件|管件", "a pipe elbow or tee", "管接頭"),
        _category("valve", "Valves|閥門|阀门", "a valve with a handle", "閥門"),
        _category("seal", "Seals|密封件|密封件", "an o-ring", "a gasket", "密封圈"),
        _category("bracket", "Brackets|支架|支架", "a mounting bracket with holes", "支架"),
        _category("profile", "Profiles|型材|型材", "an extruded profile", "a beam", "型材"),
        _category("plate", "Plates|板件|板件", "a flat plate with holes", "板"),
        _category("housing", "Housings|外殼|外壳", "a housing or enclosure", "外殼"),
        _category("clamp", "Clamps|夾具|夹具", "a clamp", "夾具"),
        _category("hardware", "Hardware|五金|五金", "a hinge or caster", "五金零件"),
        _category("spring", "Springs|彈簧|弹簧", "a coil spring", "彈簧"),
        _category("rotor", "Fans and impellers|風扇與葉輪|风扇与叶轮", "a fan with blades", "葉輪"),
        _category("knob", "Knobs|旋鈕|旋钮", "a control knob", "a handle", "旋鈕"),
        _category("vase", "Vases|花瓶|花瓶", "a vase", "a flower pot", "花瓶"),
        _category("tableware", "Tableware|餐具|餐具", "a mug", "a bowl", "a plate", "杯子"),
        _category("container", "Containers|容器|容器", "a box with a lid", "a jar", "容器"),
        _category("hook", "Hooks|掛鉤|挂钩", "a hook", "掛鉤"),
        _category("stand", "Stands and holders|架子|架子", "a phone stand", "a holder", "支架"),
        _category("game", "Games and figures|玩具與棋子|玩具与棋子", "a chess piece", "公仔"),
        _category("household", "Household|家用品|家用品", "a household thing", "家用品"),
        _category("chair", "Chairs|椅子|椅子", "a chair", "a stool", "椅子"),
        _category("table", "Tables|桌子|桌子", "a table with legs", "桌子"),
        _category("shelf", "Shelves|層架|层架", "a shelf unit", "書架"),
    )
}

HIGH_LOW: dict[str, tuple[Names, Names]] = {
    key: (Names(*low.split("|")), Names(*high.split("|")))
    for key, low, high in (
        ("long", "short|短的|短的", "long|長的|长的"),
        ("wide", "narrow|窄版|窄版", "wide|寬版|宽版"),
        ("thick", "thin|薄的|薄的", "thick|厚的|厚的"),
        ("heavy", "slim|細的|细的", "heavy|粗的|粗的"),
        ("tall", "low|矮的|矮的", "tall|高的|高的"),
        ("slender", "stout|粗短的|粗短的", "slender|細長的|细长的"),
        ("deep", "shallow|淺的|浅的", "deep|深的|深的"),
        ("large", "small|小的|小的", "large|大的|大的"),
        ("fine", "coarse|粗齒|粗齿", "fine|細齒|细齿"),
    )
}

# Values of parameters that are words. A value not listed is said as it is written.
VALUES: dict[str, Names] = {
    key: Names(en, hant, hans)
    for key, en, hant, hans in (
        line.split("|")
        for line in """
round|round|圓形|圆形
princess|princess cut square|公主方形|公主方形
emerald|emerald cut|祖母綠切割|祖母绿切割
oval|oval|橢圓形|椭圆形
marquise|marquise|馬眼形|马眼形
pear|pear shaped|梨形|梨形
heart|heart shaped|心形|心形
cushion|cushion cut|枕形|枕形
cabochon|cabochon|蛋面|蛋面
prong|prong set|爪鑲|爪镶
bezel|bezel set|包鑲|包镶
square|square|方形|方形
hexagon|hexagonal|六角形|六角形
octagon|octagonal|八角形|八角形
slot|slotted|一字槽|一字槽
phillips|Phillips|十字槽|十字槽
torx|torx|梅花槽|梅花槽
hex|hex socket|內六角|内六角
star|star|星星|星星
flower|flower|花朵|花朵
butterfly|butterfly|蝴蝶|蝴蝶
leaf|leaf|葉子|叶子
external|external|軸用|轴用
internal|internal|孔用|孔用
""".strip().splitlines()
    )
}
