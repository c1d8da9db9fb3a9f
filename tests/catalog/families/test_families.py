"""Every family: a closed solid for any seed, the same each time, named in three scripts."""

import inspect
from collections import Counter

import numpy as np
import pytest

from catalog.families.registry import FAMILIES, MODULES
from catalog.families.types import Choice, Family, Range, family_sample
from catalog.families.words import CATEGORIES

EVERY = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)

# Characters of our words written in one script only: checked pair by pair with OpenCC.
PAIRS = (
    "个個为為减減动動压壓厂廠双雙发發号號叶葉员員圆圓块塊坠墜垫墊声聲壳殼备備头頭夹夾宝寶宽寬对對导導层層"
    "带帶应應开開异異弯彎弹彈当當径徑戏戲扩擴护護择擇挂掛据據摇搖数數断斷无無时時术術机機条條构構极極标標"
    "档檔梁樑检檢楼樓样樣桥橋气氣汤湯润潤涡渦满滿灯燈炉爐点點烛燭热熱爱愛状狀环環电電疗療盖蓋盘盤码碼离離"
    "种種积積笔筆笼籠签簽简簡类類级級纹紋线線组組细細织織终終结結绕繞绳繩绿綠缆纜缩縮网網罗羅联聯脚腳节節"
    "蓝藍蜗蝸补補衬襯装裝规規订訂设設证證调調贝貝负負贴貼转轉轮輪软軟轴軸轻輕辐輻输輸边邊达達过過运運进進"
    "远遠连連选選针針钉釘钟鐘钢鋼钥鑰钩鉤钮鈕钻鑽铁鐵铃鈴铆鉚铜銅铝鋁银銀铸鑄链鏈销銷锁鎖锅鍋锤錘锥錐锯鋸"
    "键鍵镂鏤镜鏡镶鑲长長门門间間闸閘阀閥队隊阶階顶頂项項颈頸风風飞飛饭飯饰飾饮飲饼餅马馬骑騎鱼魚齐齊齿齒龙龍"
)
SIMPLIFIED, TRADITIONAL = set(PAIRS[::2]), set(PAIRS[1::2])


def closed(triangles: np.ndarray) -> bool:
    """Whether every directed edge has its opposite; corners are compared bit for bit."""
    bits = (triangles + 0.0).view(np.uint32).astype(np.uint64)
    # Hashes stand for corners and edges: 64 bits are enough to tell a million apart.
    mix = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    corner = bits @ mix
    corner ^= corner >> np.uint64(29)
    start, end = corner.ravel(), np.roll(corner, -1, 1).ravel()
    there, back = start * mix[0] + end, end * mix[0] + start
    return bool(np.array_equal(np.sort(there), np.sort(back)))


def test_there_are_enough_families_and_no_key_is_taken_twice() -> None:
    keys = [
        thing.key
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, Family)
    ]
    assert len(FAMILIES) >= 120
    assert max(Counter(keys).values()) == 1
    assert {family.category for family in FAMILIES.values()} == set(CATEGORIES)


@EVERY
def test_its_parts_are_closed_solids_of_a_plausible_size(family: Family) -> None:
    for seed in range(2):
        triangles = family_sample(family, seed).triangles
        assert triangles.dtype == np.float32
        assert triangles.shape[1:] == (3, 3)
        assert 4 <= len(triangles) < 120_000
        assert np.isfinite(triangles).all()
        size = np.ptp(triangles.reshape(-1, 3), axis=0)
        assert size.min() > 0.1
        assert 1.0 < size.max() < 3000
        assert closed(triangles)
        a, b, c = triangles.astype(float).transpose(1, 0, 2)
        assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0


@EVERY
def test_its_words_are_in_three_scripts_with_two_of_each_held_out(family: Family) -> None:
    for script in range(3):
        train, out = family.phrases[script], family.held_out[script]
        assert len(train) >= 2
        assert len(out) >= 2
        assert all(train)
        assert all(out)
        assert not set(train) & set(out)
    assert family.names.en.isascii()
    for text in (*family.phrases.zh_hant, *family.held_out.zh_hant):
        assert not set(text) & SIMPLIFIED, text
    for text in (*family.phrases.zh_hans, *family.held_out.zh_hans):
        assert not set(text) & TRADITIONAL, text


@EVERY
def test_its_parameters_are_those_of_its_maker(family: Family) -> None:
    look, *rest = inspect.signature(family.make).parameters.values()
    assert look.name == "q"
    assert [p.name for p in rest] == list(family.parameters)
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in rest)


@EVERY
def test_held_out_values_are_never_drawn_in_training(family: Family) -> None:
    rng = np.random.default_rng(1)
    split = 0
    for parameter in family.parameters.values():
        if isinstance(parameter, Choice) and (
            len(parameter.values) < 5 or isinstance(parameter.values[0], str)
        ):
            continue
        if isinstance(parameter, Range) and parameter.whole and parameter.high - parameter.low < 4:
            continue
        split += 1
        train = {parameter.draw(rng, "train") for _ in range(60)}
        out = {parameter.draw(rng, "held_out") for _ in range(60)}
        assert not train & out
        if isinstance(parameter, Range) and not parameter.whole:
            shares = np.array([parameter.share(float(v)) for v in train])
            assert not ((shares > 0.255) & (shares < 0.345)).any()
            assert shares.max() < 0.905
    assert split


def test_a_seed_gives_the_same_part_and_another_seed_another() -> None:
    for family in list(FAMILIES.values())[::9]:
        one, same, other = (family_sample(family, seed) for seed in (5, 5, 6))
        assert np.array_equal(one.triangles, same.triangles)
        assert one.captions == same.captions
        assert one.parameters != other.parameters


def test_parts_can_be_turned_without_changing_their_shape() -> None:
    made = family_sample(FAMILIES["mug"], 3).triangles
    upright = family_sample(FAMILIES["mug"], 3, turned="upright").triangles
    turned = family_sample(FAMILIES["mug"], 3, turned="any").triangles
    edges = [np.linalg.norm(t[:, 1] - t[:, 0], axis=1) for t in (made, upright, turned)]
    assert np.allclose(edges[0], edges[1], atol=1e-3)
    assert np.allclose(edges[0], edges[2], atol=1e-3)
    assert np.allclose(made[..., 2], upright[..., 2], atol=1e-3)
    assert not np.allclose(made[..., 2], turned[..., 2], atol=1e-1)
