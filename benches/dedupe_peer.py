"""datasketch's MinHashLSH on the texts of `cargo bench --bench dedupe`; prints four figures for it."""
import sys, time
from datasketch import MinHash, MinHashLSH

THRESHOLD, PERMUTATIONS = 0.5, 128


def resident():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) * 1024


def grams(text):
    return {text[at : at + 3] for at in range(len(text) - 2)}


def sign(grams):
    signature = MinHash(num_perm=PERMUTATIONS)
    signature.update_batch([gram.encode() for gram in grams])
    return signature


texts, copies = [], []
for number, line in enumerate(open(sys.argv[1], encoding="utf-8")):
    of, text = line.rstrip("\n").split("\t")
    texts.append(text)
    if of:
        copies.append((number, int(of)))
before, started = resident(), time.process_time()
index, signatures = MinHashLSH(num_perm=PERMUTATIONS, params=(18, 7)), []
for number, text in enumerate(texts):
    signature = sign(grams(text))
    signatures.append(signature)
    index.insert(number, signature)
inserts = len(texts) / (time.process_time() - started)
grown = (resident() - before) / len(texts)
asked = range(0, len(texts), max(1, len(texts) // 20000))
started = time.process_time()
for number in asked:
    for other in index.query(signatures[number]):
        signatures[number].jaccard(signatures[other]) >= THRESHOLD
queries = len(asked) / (time.process_time() - started)
found = sum(of in index.query(signatures[number]) for number, of in copies) / len(copies)
print(inserts, queries, grown, found)
