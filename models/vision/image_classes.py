"""Everyday words for near-synonyms among the 1,000 ImageNet classes that the image classifier knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Group(NamedTuple):
    """Classes that a person would call by one word."""

    en: str
    zh: str
    classes: tuple[int, ...]


def _group(en: str, zh: str, *classes: int | Iterable[int]) -> Group:
    flat: list[int] = []
    for entry in classes:
        flat += [entry] if isinstance(entry, int) else entry
    return Group(en, zh, tuple(flat))


GROUPS = (
    _group("cat", "猫", range(281, 286)),
    _group("dog", "狗", range(151, 269)),
    _group("wolf", "狼", 269, 270, 271),
    _group("fox", "狐狸", range(277, 281)),
    _group("big cat", "大型猫科动物", range(286, 294)),
    _group("bear", "熊", range(294, 298)),
    _group("bird", "鸟", range(7, 25), range(80, 101), range(127, 147)),
    _group("fish", "鱼", 0, 1, range(389, 398)),
    _group("shark", "鲨鱼", 2, 3, 4),
    _group("frog", "蛙", 30, 31, 32),
    _group("salamander", "蝾螈", range(25, 30)),
    _group("turtle", "龟", range(33, 38)),
    _group("lizard", "蜥蜴", range(38, 49)),
    _group("crocodile or alligator", "鳄鱼", 49, 50),
    _group("snake", "蛇", range(52, 69)),
    _group("spider", "蜘蛛", range(72, 78)),
    _group("insect", "昆虫", range(300, 327)),
    _group("crab", "螃蟹", 118, 119, 120, 121, 125),
    _group("lobster or crayfish", "龙虾", 122, 123, 124),
    _group("whale", "鲸", 147, 148),
    _group("rabbit", "兔", 330, 331, 332),
    _group("pig", "猪", 341, 342, 343),
    _group("cow", "牛", 345, 346, 347),
    _group("sheep or goat", "羊", 348, 349, 350),
    _group("antelope", "羚羊", 351, 352, 353),
    _group("monkey or ape", "猴或猿", range(365, 383)),
    _group("elephant", "大象", 101, 385, 386),
    _group("car", "汽车", 436, 468, 479, 511, 581, 609, 627, 656, 661, 751, 817),
    _group("truck", "卡车", 555, 569, 675, 717, 864, 867),
    _group("bus", "公共汽车", 654, 779, 874),
    _group("train", "火车", 466, 547, 565, 705, 820, 829),
    _group("bicycle", "自行车", 444, 671),
    _group("motorbike", "摩托车", 665, 670),
    _group("aircraft", "飞机", 404, 895, 908),
    _group("rocket", "火箭", 657, 744, 812),
    _group("ship or boat", "船", 403, 472, 484, 510, 554, 576, 625, 628, 724, 780, 814, 871, 914),
    _group("bridge", "桥", 821, 839, 888),
    _group("church or temple", "教堂或寺庙", 497, 663, 668, 832),
    _group("computer", "计算机", 527, 590, 620, 681),
    _group("screen", "显示屏", 664, 782, 851),
    _group("keyboard", "键盘", 508, 810, 878),
    _group("telephone", "电话", 487, 528, 707),
    _group("camera", "照相机", 732, 759),
    _group("clock or watch", "钟表", 409, 530, 531, 826, 892),
    _group("bottle", "瓶子", 440, 720, 737, 898, 907),
    _group("cup", "杯子", 504, 967, 968, 647),
    _group("pot or pan", "锅", 469, 505, 521, 544, 567, 849, 909),
    _group("chair or bench", "椅子", 423, 559, 703, 765, 857),
    _group("bed", "床", 431, 516, 520, 564),
    _group("table or desk", "桌子", 526, 532, 736),
    _group("sunglasses", "墨镜", 836, 837),
    _group("hat", "帽子", 439, 452, 515, 667, 808),
    _group("shoe", "鞋", 502, 514, 630, 770, 774),
    _group("ball", "球", 429, 430, 522, 574, 722, 768, 805, 852, 890),
    _group("guitar", "吉他", 402, 546),
    _group("piano", "钢琴", 579, 881),
    _group("gun", "枪", 413, 763, 764),
    _group("shop", "商店", 415, 454, 467, 509, 582, 788, 860, 865),
    _group("mushroom", "蘑菇", 947, 991, 992, 993, 994, 995, 996, 997),
    _group("flower", "花", 985, 986),
    _group("squash", "南瓜", 940, 941, 942, 607),
    _group("coast or shore", "海岸或湖岸", 975, 976, 977, 978),
    _group("mountain or valley", "山或山谷", 970, 972, 979, 980),
    _group("bread", "面包", 930, 931, 932),
)
CHINESE = {group.en: group.zh for group in GROUPS}
"""Chinese of the group words; no packaged list has Chinese names of the single classes, which stay in English."""
