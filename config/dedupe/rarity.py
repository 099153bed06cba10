#!/usr/bin/env python3
"""Makes rarity.txt: how telling each pair of Chinese characters is, in two scales of half units.

  rarity.py CSL_DIR JIEBA_DICT NOTICE > rarity.txt

CSL_DIR     the *.tsv of ydli-ai/CSL `benchmark/` (Apache-2.0): abstracts and titles of Chinese science journals
JIEBA_DICT  jieba's dict.txt (MIT): words of general Chinese with their counts
NOTICE      the text of the notice the submissions answer; plain-words.txt is taken from beside this script

rarity    ln(documents / documents with the pair), lowered where general Chinese uses it very often: the weight of a pair as a term.
plainness the same, but lowered as soon as general Chinese uses it: clauses low on this scale are boiler-plate.
Neither looks at any topic, so the table never follows what was submitted.
"""
import glob, math, os, re, sys, unicodedata
from collections import Counter

HAN = re.compile(r"[\u4e00-\u9fff]+")
TOP = 16  # half units; whatever is not listed has both at TOP


def fold(text):
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if not c.isspace())


def pairs(text):
    for run in HAN.findall(fold(text)):
        for at in range(len(run) - 1):
            yield run[at : at + 2]


def science(folder):
    documents = set()
    for file in sorted(glob.glob(os.path.join(folder, "*.tsv"))):
        for line in open(file, encoding="utf-8"):
            cells = line.rstrip("\n").split("\t")
            if len(cells) > 1:
                documents.add(cells[1])
    found = Counter()
    for document in documents:
        found.update(set(pairs(document)))
    return found, sum(len(document) > 80 for document in documents)


def general(file):
    found, total = Counter(), 0
    for line in open(file, encoding="utf-8"):
        word, count = line.split()[:2]
        total += int(count) * len(word)
        for pair in pairs(word):
            found[pair] += int(count)
    return found, total


def main():
    documents, of = science(sys.argv[1])
    words, total = general(sys.argv[2])
    notice = set(pairs(open(sys.argv[3], encoding="utf-8").read()))
    here = os.path.dirname(os.path.abspath(__file__))
    plain = set()
    for line in open(os.path.join(here, "plain-words.txt"), encoding="utf-8"):
        if not line.startswith("#"):
            for word in line.split():
                plain.update(pairs(word))

    def scale(pair, words_in_a_document):
        value = math.log((of + 1) / (documents[pair] + 1))
        if words[pair]:
            value = min(value, max(0.0, math.log(total / words_in_a_document / (words[pair] + 1))))
        if pair in notice:
            value = min(value, 1.5)
        return min(value, 0.5) if pair in plain else value

    levels = {}
    for pair in set(documents) | set(words) | notice | plain:
        rarity = min(TOP, round(2 * scale(pair, 250)))
        plainness = min(TOP, round(2 * scale(pair, 25_000)))
        if rarity < TOP - 3 or plainness < TOP - 10:
            levels.setdefault((rarity, plainness), []).append(pair)
    print("# version 1. Made by rarity.py: rarity, plainness (half units), pairs of characters.")
    for (rarity, plainness), found in sorted(levels.items()):
        print(rarity, plainness, "".join(sorted(found)))


main()
