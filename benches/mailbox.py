"""A seeded mailbox of realistic submissions: `mailbox.py DIR [--mails 1000] [--seed 7]` writes a Maildir and `truth.json` beside it.

Of 1000 mails 850 are submissions (a workbook of annex 2 with about 22 rows, two or three Word forms of annex 1 whose topics stand in
the workbook too, mostly a scanned letter of 100-800 KB), 40 are the same mail sent again, 50 carry no annex, 30 are automatic replies,
20 bounces, 10 have a damaged annex. Every topic, enterprise and figure is made up and differs. Scans are noise of a scan's size.
The same seed and number give the same topics and sizes.
"""

import argparse
import base64
import io
import json
import os
import random
import re
import zipfile
from email.header import Header
from xml.sax.saxutils import escape

import docx
import openpyxl

HERE = os.path.dirname(os.path.abspath(__file__))
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
BUREAUS = ["长春市工业和信息化局", "吉林市工业和信息化局", "四平市工业和信息化局", "辽源市工业和信息化局", "通化市工业和信息化局", "白山市工业和信息化局", "松原市工业和信息化局",
           "白城市工业和信息化局", "延边朝鲜族自治州工业和信息化局", "梅河口市工业和信息化局", "长春高新技术产业开发区", "延吉高新技术产业开发区", "梅河口高新技术产业开发区"]
AREAS = ["220104", "220203", "220302", "220402", "220502", "220602", "220702", "220802", "222401", "220581", "220106", "222401", "220581"]
FORM = [("topic_title", "课题名称"), ("industry", "所属产业"), ("gb_code", "国民经济行业代码"), ("topic_type", "攻关类型"), ("applicant", "申报单位"), ("uscc", "统一社会信用代码"),
        ("region", "所在地区"), ("leader", "课题负责人"), ("contact", "联系人"), ("phone", "联系电话"), ("background", "课题背景及必要性"), ("problem", "拟解决的关键问题"),
        ("benchmark", "国内外技术水平对标"), ("goal", "研发目标"), ("content", "主要攻关内容"), ("params", "主要技术参数"), ("product", "研制产品"), ("market", "市场前景"),
        ("benefit", "预期经济效益"), ("mode", "攻关方式"), ("partners", "联合单位"), ("period", "攻关周期"), ("invest", "总投资（万元）")]
SUMMARY = [("topic_title", "课题名称"), ("applicant", "申报单位"), ("uscc", "统一社会信用代码"), ("region", "所在地"), ("industry", "所属产业"), ("problem", "拟解决的关键问题"),
           ("goal", "研发目标"), ("params", "主要技术参数"), ("partners", "联合单位"), ("period", "攻关周期"), ("invest", "总投资（万元）"), ("benefit", "预期经济效益"),
           ("contact", "联系人"), ("phone", "联系电话")]
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚红玉"
WORDS = ("轴承 密封 焊缝 涂层 电极 隔膜 催化 晶粒 织构 应力 振动 噪声 温升 磨损 腐蚀 疲劳 裂纹 孔隙 粘度 浓度 纯度 收率 能耗 粉尘 油耗 扭矩 转速 位移 精度 间隙 刚度 阻尼 频率 "
         "电压 电流 功率 绝缘 介质 光谱 波长 图像 算法 模型 芯片 传感 通信 定位 导航 供电 制动 转向 悬架 车身 底盘 叶片 齿轮 模具 铸件 锻件 板材 纤维 树脂 橡胶 薄膜 粉末 单体 溶剂 菌种 "
         "酶解 发酵 提取 干燥 灭菌 包装 冷藏 籽粒 秸秆 土壤 肥力 纱线 面料 染色 印花 废水 烟气 余热 尾矿 冰雪 低温 高寒 冻融 光照 湿度 压差 流场 流量 液位").split()
WAYS = ["关键技术攻关", "研制", "制备工艺开发", "产业化关键技术研究", "在线检测装置研制", "核心部件国产化", "智能化改造技术", "可靠性提升技术"]
QUALITIES = ["高可靠", "低温环境用", "轻量化", "低能耗", "高精度", "长寿命", "耐腐蚀", "大功率", "微型", "柔性", "宽温域", "模块化"]
SENTENCES = ["目前国产{p}在{w}与{w}方面落后，{w}达到{n}%，{w}{w}不稳定，关键{w}依赖进口。", "{p}的{w}决定整机性能，现有工艺使{w}波动{n}%，造成{w}失效，寿命仅{n}h。",
             "高寒条件下{p}{w}下降{n}%，{w}与{w}匹配困难，用户反映强烈。", "国外厂商对{p}的{w}控制和{w}数据保密，国内样机{w}只有其{n}%。",
             "{p}用{w}的制备过程中{w}不均，{p}合格率不足{n}%，{w}成本居高不下。", "缺少{p}专用的{w}模型和{w}试验手段，{w}靠经验调整，返工率{n}%。",
             "研究{w}、{w}与{w}的协同机理，突破{w}控制技术，形成{p}样机。", "采用{w}结合{w}的方法，解决{w}在{p}运行时的{w}问题，使{w}提高{n}%。",
             "{w}≥{n}MPa，{w}≤{n}%，{w}精度±{n}μm，用于{w}与{w}。", "国外{w}已实现{w}，{w}指标为{n}，我省{w}停留在{n}，{w}依靠{w}完成。",
             "开发{w}用{w}，建立{w}模型，完成{w}与{w}的匹配，在{w}上验证。", "针对{w}，以{w}替代{w}，优化{w}和{w}参数，{w}达到{n}级。",
             "{w}线年产能{n}万件，{w}合格率{n}%，吨{w}能耗{n}kWh，均落后于{w}。", "{w}易使{w}开裂，{w}寿命只有{n}h，{w}更换一次停产{n}天。"]


def credit_code(area, subject):
    """A valid code of GB 32100-2015."""
    value = lambda c: int(c) if c.isdigit() else ord(c) - 55
    rest = 11 - sum(w * value(c) for w, c in zip([3, 7, 9, 10, 5, 8, 4, 2], subject)) % 11
    body = "91" + area + subject + {10: "X", 11: "0"}.get(rest, str(rest))
    total = sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + ALPHABET[(31 - total % 31) % 31]


class Writer:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.products, self.count, self.titles, self.trade = [], 0, set(), WORDS
        with open(os.path.join(HERE, "../config/routing/products.txt"), encoding="utf-8") as file:
            for line in file:
                if not line.startswith(("#", "[")):
                    self.products += line.split()

    def person(self):
        return self.random.choice(SURNAMES) + "".join(self.random.sample(GIVEN, self.random.randint(1, 2)))

    def text(self, product, sentences):
        fill = lambda pattern: re.sub(r"\{[wn]\}", lambda m: self.random.choice(self.trade) if m[0] == "{w}" else str(self.random.randint(2, 98)), pattern.replace("{p}", product))
        return "".join(fill(pattern) for pattern in self.random.sample(SENTENCES, sentences))

    def topic(self, bureau):
        choose, number = self.random.choice, self.random.randint
        while True:
            product, word = choose(self.products), choose(WORDS)
            title = f"{choose(QUALITIES)}{product}{word}{choose(WORDS)}{choose(WAYS)}"
            if title not in self.titles:
                break
        self.titles.add(title)
        # Every trade has words of its own: what two topics have in common is mostly grammar.
        self.trade = self.random.sample(self.products, 12) + self.random.sample(WORDS, 6)
        self.count += 1
        city = BUREAUS[bureau].replace("朝鲜族自治", "")[:3].rstrip("工")
        company = f"{city}{choose(WORDS)}{choose(WORDS)}{self.count % 7000:04d}{choose(['科技有限公司', '机械制造有限公司', '股份有限公司', '新材料有限公司'])}"
        params = "；".join(f"{a}≥{number(10, 999)}{u}" for a, u in zip(self.random.sample(WORDS, 4), ["MPa", "h", "℃", "次"]))
        return {"topic_title": title, "industry": product, "gb_code": f"C{number(13, 43)}{number(0, 9)}", "topic_type": "关键共性技术", "applicant": company,
                "uscc": credit_code(AREAS[bureau], f"M{self.count:07d}"), "region": city + "高新区", "leader": self.person(), "contact": self.person(),
                "phone": f"1{number(30, 89)}{number(10_000_000, 99_999_999)}", "background": self.text(product, 2), "problem": self.text(product, 2),
                "benchmark": f"国内{choose(WORDS)}约{number(10, 50)}%，国际先进水平{number(60, 99)}%。", "goal": f"突破{product}{choose(WORDS)}与{choose(WORDS)}技术，完成{number(2, 90)}套样机考核。",
                "content": self.text(product, 3), "params": params, "product": product, "market": f"预计年需求{number(200, 90000)}套。",
                "benefit": f"达产后年新增产值{number(500, 30000)}万元。", "mode": "联合攻关", "partners": choose(["吉林大学", "长春理工大学", ""]), "period": "2025年1月至2026年12月",
                "invest": str(number(200, 9000))}


class Annexes:
    """Files written once by python-docx and openpyxl; each mail's own texts are put into their XML."""

    def __init__(self, writer):
        self.random = writer.random
        form = docx.Document()
        form.add_paragraph("附件1")
        form.add_paragraph("吉林省聚力攻坚专项课题申报表")
        table = form.add_table(rows=len(FORM), cols=2, style="Table Grid")
        for row, (key, label) in zip(table.rows, FORM):
            row.cells[0].text, row.cells[1].text = label, f"@{key}@"
        out = io.BytesIO()
        form.save(out)
        with zipfile.ZipFile(out) as file:
            self.form = [(name, file.read(name)) for name in file.namelist()]

    def docx(self, topic):
        body = re.sub(r"@(\w+)@", lambda m: escape(topic[m[1]]), dict(self.form)["word/document.xml"].decode())
        return packed((name, body.encode() if name == "word/document.xml" else data) for name, data in self.form)

    def xlsx(self, bureau, topics):
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "汇总表"
        sheet.append(["吉林省聚力攻坚专项课题汇总表"])
        sheet.merge_cells("A1:O1")
        sheet.append([f"填报单位（盖章）：{bureau}　　填报日期：2024年8月15日"])
        sheet.append(["序号"] + [label for _, label in SUMMARY])
        for number, topic in enumerate(topics, 1):
            sheet.append([number] + [int(topic[key]) if key == "invest" else topic[key] for key, _ in SUMMARY])
        sheet.append(["注：本表由市（州）工信局汇总填报。"])
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def scan(self, size):
        """A PDF of one page whose picture is `size` bytes of noise under a JPEG's name."""
        picture = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + self.random.randbytes(size)
        objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                   b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
                   b"<</Length 28>>stream\n595 0 0 842 0 0 cm\n/I Do    \nendstream",
                   b"<</Type/XObject/Subtype/Image/Width 1654/Height 2339/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode/Length %d>>stream\n%s\nendstream" % (len(picture), picture)]
        out, places = bytearray(b"%PDF-1.4\n"), []
        for number, content in enumerate(objects, 1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
        table = b"".join(b"%010d 00000 n \n" % place for place in places)
        out += b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (table, len(out))
        return bytes(out)


def packed(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            file.writestr(name, data)
    return out.getvalue()


def mail(number, sender, subject, text, files=(), extra=()):
    head = [f"From: {Header(sender[0], 'utf-8').encode()} <{sender[1]}>", "To: jlsgxtkjc@163.com", f"Subject: {Header(subject, 'utf-8').encode()}",
            f"Date: Thu, 15 Aug 2024 {8 + number // 60 % 10:02d}:{number % 60:02d}:00 +0800", f"Message-ID: <{number}.bench@{sender[1].split('@')[1]}>", "MIME-Version: 1.0", *extra]
    lines = lambda data: base64.encodebytes(data)
    body = b'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: base64\n\n' + lines(text.encode())
    if not files:
        return ("\n".join(head) + "\n").encode() + body
    boundary = f"----=_bench_{number:08d}"
    out = [("\n".join(head) + f'\nContent-Type: multipart/mixed; boundary="{boundary}"\n\n').encode(), f"--{boundary}\n".encode(), body]
    for name, data in files:
        word = Header(name, "utf-8", maxlinelen=500).encode()
        kind = {"pdf": "application/pdf", "zip": "application/zip"}.get(name.rsplit(".", 1)[1], "application/octet-stream")
        out.append(f'\n--{boundary}\nContent-Type: {kind}; name="{word}"\nContent-Disposition: attachment; filename="{word}"\nContent-Transfer-Encoding: base64\n\n'.encode())
        out.append(lines(data))
    out.append(f"\n--{boundary}--\n".encode())
    return b"".join(out)


def submission(writer, annexes, number, truth):
    bureau = number % len(BUREAUS)
    topics = [writer.topic(bureau) for _ in range(writer.random.randint(18, 26))]
    forms = [(f"附件1-{index + 1}.docx", annexes.docx(topic)) for index, topic in enumerate(topics[:writer.random.choice([2, 3, 3])])]
    truth["rows"] += len(topics)
    truth["forms"] += len(forms)
    truth["topics"] += [[topic["topic_title"], topic["applicant"]] for topic in topics]
    files = [("附件2汇总表.xlsx", annexes.xlsx(BUREAUS[bureau], topics))]
    if number % 20 == 0:
        files.append(("附件1申报表.zip", packed(forms)))
    else:
        files += forms
    if number % 9:
        files.append(("报送函.pdf", annexes.scan(writer.random.randint(100_000, 800_000))))
    # A bureau's staff write from many addresses.
    sender = (BUREAUS[bureau], f"gxj{number % 40}@b{bureau}.example.cn")
    return mail(number, sender, f"{BUREAUS[bureau]}报送聚力攻坚专项课题（{number}）", f"请查收。\n{BUREAUS[bureau]}", files)


def make(folder, mails, seed):
    writer = Writer(seed)
    annexes = Annexes(writer)
    truth = {"mails": mails, "seed": seed, "rows": 0, "forms": 0, "topics": [], "bytes": 0}
    for part in ("new", "cur", "tmp"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    kinds = (["submission"] * 85 + ["again"] * 4 + ["plain"] * 5 + ["auto"] * 3 + ["bounce"] * 2 + ["damaged"])
    sent = []
    for number in range(mails):
        kind = kinds[number * 37 % 100]
        person = ("王明", f"p{number}@person.example.cn")
        if kind == "again" and sent:
            # The same mail, sent anew: transport and program write other headers.
            raw = re.sub(rb"Message-ID: <", b"Message-ID: <again", sent[number % len(sent)], count=1)
        elif kind == "plain":
            raw = mail(number, person, "咨询专项课题申报", "请问附件1由谁填写？谢谢。")
        elif kind == "auto":
            raw = mail(number, person, "自动回复: 课题材料", "您好，我正在休假。", extra=["Auto-Submitted: auto-replied"])
        elif kind == "bounce":
            raw = mail(number, ("", "Postmaster@163.com"), "系统退信", "抱歉，您的邮件被退回来了。", extra=["X-Mailer: Coremail MTA server"])
        elif kind == "damaged":
            raw = mail(number, person, "报送专项课题", "请查收。", [("附件2汇总表.xlsx", b"PK\x03\x04" + writer.random.randbytes(20_000))])
        else:
            raw = submission(writer, annexes, number, truth)
            sent = (sent + [raw])[-5:]
        wire_bytes = len(raw) + raw.count(b"\n")
        truth["bytes"] += wire_bytes
        # Dovecot takes arrival from the file's time, and the sizes from its name.
        name = os.path.join(folder, "new", f"1723680000.M{number:06d}.bench,S={len(raw)},W={wire_bytes}")
        with open(name, "wb") as file:
            file.write(raw)
        os.utime(name, (1_723_680_000 + number, 1_723_680_000 + number))
    return truth


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder")
    arguments.add_argument("--mails", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=7)
    arguments = arguments.parse_args()
    truth = make(arguments.folder, arguments.mails, arguments.seed)
    with open(arguments.folder.rstrip("/") + ".json", "w", encoding="utf-8") as file:
        json.dump(truth, file, ensure_ascii=False)
    print(f"{truth['mails']} mails, {truth['bytes']} bytes, {truth['rows']} rows, {truth['forms']} forms")


if __name__ == "__main__":
    main()
