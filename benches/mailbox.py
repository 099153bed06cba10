"""A seeded mailbox of realistic submissions: `mailbox.py DIR [--mails 1000] [--seed 7]` writes a Maildir and `DIR.json`, its truth, beside it.

Of 1000 mails 850 are submissions (a workbook of annex 2 with about 22 rows, two or three Word forms of annex 1 whose topics stand in
the workbook too, mostly a scanned letter of 100-800 KB), 40 are the same mail sent again, 50 carry no annex, 30 are automatic replies,
20 bounces, 10 have a damaged annex. Every topic, enterprise and figure is made up and differs. Scans are noise of a scan's size.
The same seed and number give the same topics and sizes. What other mailboxes of the bench have instead: `mailbox.py --help`.
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
NAMES = "华东方正鑫源恒通达瑞丰泰安盛兴宏远博雅嘉禾利民中天成建国信诚德广银河星海龙凤松江长白玉山金石光明新创科力威普惠众合联友佳美锦绣腾飞翔宇航晟睿凯捷欧亚"
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚红玉"
WORDS = ("轴承 密封 焊缝 涂层 电极 隔膜 催化 晶粒 织构 应力 振动 噪声 温升 磨损 腐蚀 疲劳 裂纹 孔隙 粘度 浓度 纯度 收率 能耗 粉尘 油耗 扭矩 转速 位移 精度 间隙 刚度 阻尼 频率 "
         "电压 电流 功率 绝缘 介质 光谱 波长 图像 算法 模型 芯片 传感 通信 定位 导航 供电 制动 转向 悬架 车身 底盘 叶片 齿轮 模具 铸件 锻件 板材 纤维 树脂 橡胶 薄膜 粉末 单体 溶剂 菌种 "
         "酶解 发酵 提取 干燥 灭菌 包装 冷藏 籽粒 秸秆 土壤 肥力 纱线 面料 染色 印花 废水 烟气 余热 尾矿 冰雪 低温 高寒 冻融 光照 湿度 压差 流场 流量 液位").split()
WAYS = ["关键技术攻关", "研制", "制备工艺开发", "产业化关键技术研究", "在线检测装置研制", "核心部件国产化", "智能化改造技术", "可靠性提升技术"]
QUALITIES = ["高可靠", "低温环境用", "轻量化", "低能耗", "高精度", "长寿命", "耐腐蚀", "大功率", "微型", "柔性", "宽温域", "模块化"]
# [one|or|another]: what everybody says, each in his own words.
SENTENCES = [
    "[目前|现阶段|当前|迄今]国产{p}在{w}与{w}方面[落后|有差距|不及进口件|受制于人]，{w}[达到|仅为|约为|停在]{n}%，{w}[不稳定|波动大|离散|难以重复]，[关键|核心|主要|高端]{w}[依赖进口|靠外购|尚无国产|被垄断]。",
    "{p}的{w}[决定|制约|左右|影响着][整机性能|使用寿命|交付周期|主机水平]，[现有工艺|老办法|传统路线|在用产线]使{w}[波动|偏移|漂移|衰减]{n}%，[造成|引起|带来|诱发]{w}[失效|超差|报废|失稳]，[寿命仅|只能用|连续运行不到|检修间隔仅]{n}h。",
    "[高寒条件下|冬季户外|零下三十度时|严寒地区]{p}{w}[下降|损失|缩水|打折]{n}%，{w}与{w}[匹配困难|难以兼顾|互相牵制|不相容]，[用户反映强烈|退货增多|投诉集中|影响订货]。",
    "[国外厂商|境外供应商|外方|进口设备商]对{p}的{w}[控制|配方|图谱|算法]和{w}[数据保密|资料不外传|只卖成品|严格封锁]，[国内样机|省内试制品|自研件|首批产品]{w}[只有其|不到它的|约为对方|相当于人家]{n}%。",
    "{p}用{w}的[制备过程|成形环节|加工工序|装配阶段]中{w}[不均|偏析|堆积|夹杂]，{p}[合格率|一次交验率|成品率|良率][不足|低于|徘徊在|只有]{n}%，{w}[成本居高不下|开支过大|价格昂贵|耗费惊人]。",
    "[缺少|没有|尚未建立|急需]{p}[专用的|自己的|配套|成体系的]{w}[模型|数据库|规范|样本]和{w}[试验手段|检验装置|评价方法|测试台]，{w}[靠经验调整|凭手感|由老师傅把关|反复试凑]，[返工率|废品率|停线时间占比|误差]{n}%。",
    "[研究|揭示|弄清|阐明]{w}、{w}与{w}的[协同机理|耦合规律|相互作用|传递关系]，[突破|掌握|攻克|形成]{w}[控制技术|调控方法|窗口参数|关键工序]，[形成|做出|试制|交付]{p}[样机|样件|工程件|示范线]。",
    "[采用|运用|借助|引入]{w}[结合|配合|叠加|串联]{w}的[方法|路线|思路|手段]，[解决|消除|抑制|缓解]{w}在{p}[运行时|服役中|启停时|满载下]的{w}[问题|缺陷|故障|隐患]，使{w}[提高|改善|增加|提升]{n}%。",
    "{w}≥{n}MPa，{w}≤{n}%，{w}精度±{n}μm，[用于|服务于|面向|适配]{w}与{w}。",
    "[国外|日本企业|德国同行|欧美]{w}已[实现|普及|量产|装车]{w}，{w}[指标为|做到|公开值是|标称]{n}，[我省|省内企业|本地产品|我们]{w}[停留在|只到|尚处|刚过]{n}，{w}[依靠|仰赖|委托|外协]{w}[完成|解决|把关|兜底]。",
    "[开发|编制|设计|研制]{w}用{w}，[建立|搭建|标定|训练]{w}模型，完成{w}与{w}的[匹配|联调|对接|迭代]，在{w}上[验证|试用|考核|跑通]。",
    "[针对|围绕|面对|瞄准]{w}，以{w}[替代|取代|部分替换|补强]{w}，[优化|重排|放宽|收紧]{w}和{w}[参数|次序|比例|间距]，{w}[达到|进入|稳定在|升至]{n}级。",
    "{w}线[年产能|设计能力|现产量|日均]{n}万件，{w}[合格率|利用率|开动率|直通率]{n}%，吨{w}[能耗|电耗|水耗|气耗]{n}kWh，均[落后于|高于|不如|劣于]{w}。",
    "{w}[易使|常令|会让|往往导致]{w}[开裂|剥落|卡滞|老化]，{w}[寿命|周期|间隔|耐久][只有|不过|平均|最多]{n}h，{w}[更换一次|检修一回|停炉一趟|换型]停产{n}天。"]
GOALS = ["[突破|掌握|攻克|吃透]{p}{w}与{w}[技术|工艺|方法|诀窍]，[完成|交付|装机|试用]{n}套[样机考核|整机|工程样件|首台套]。",
         "[建成|改造|打通|投运]{p}[中试线|示范线|生产单元|试验平台]，{w}[提高|降低|收窄|改善]{n}%，[替代|顶替|取代|减少]进口{w}。",
         "[形成|编制|发布|固化]{p}的{w}[规范|标准|图谱|数据包]{n}项，{w}[达到|赶上|接近|超过][国际同类|进口件|行业领先|设计]水平。"]


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
        return "".join(self.fill(pattern, product) for pattern in self.random.sample(SENTENCES, sentences))

    def fill(self, pattern, product):
        said = re.sub(r"\[(.*?)\]", lambda m: self.random.choice(m[1].split("|")), pattern.replace("{p}", product))
        return re.sub(r"\{[wn]\}", lambda m: self.random.choice(self.trade) if m[0] == "{w}" else str(self.random.randint(2, 98)), said)

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
        company = f"{city}{choose(NAMES)}{choose(NAMES)}{choose(WORDS)}{self.count % 7000:04d}{choose(['科技有限公司', '机械制造有限公司', '股份有限公司', '新材料有限公司'])}"
        params = "；".join(f"{a}≥{number(10, 999)}{u}" for a, u in zip(self.random.sample(WORDS, 4), ["MPa", "h", "℃", "次"]))
        return {"topic_title": title, "industry": product, "gb_code": f"C{number(13, 43)}{number(0, 9)}", "topic_type": "关键共性技术", "applicant": company,
                "uscc": credit_code(AREAS[bureau], f"M{self.count:07d}"), "region": city + "高新区", "leader": self.person(), "contact": self.person(),
                "phone": f"1{number(30, 89)}{number(10_000_000, 99_999_999)}", "background": self.text(product, 2), "problem": self.text(product, 2),
                "benchmark": f"国内{choose(WORDS)}约{number(10, 50)}%，国际先进水平{number(60, 99)}%。", "goal": self.fill(choose(GOALS), product),
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


def submission(writer, annexes, number, truth, like):
    bureau = number % len(BUREAUS)
    topics = [writer.topic(bureau) for _ in range(like.rows or writer.random.randint(18, 26))]
    with_form = [] if like.bare else topics[:writer.random.choice([2, 3, 3])]
    forms = [(f"附件1-{index + 1}.docx", annexes.docx(topic)) for index, topic in enumerate(with_form)]
    truth["rows"] += len(topics)
    truth["forms"] += len(forms)
    truth["topics"] += [[topic["topic_title"], topic["applicant"]] for topic in topics]
    files = [("附件2汇总表.xlsx", annexes.xlsx(BUREAUS[bureau], topics))]
    if forms and number % 20 == 0:
        files.append(("附件1申报表.zip", packed(forms)))
    else:
        files += forms
    if like.scan_bytes:
        files.append(("报送函.pdf", annexes.scan(like.scan_bytes)))
    elif number % 9 and not like.bare:
        files.append(("报送函.pdf", annexes.scan(writer.random.randint(100_000, 800_000))))
    # A bureau's staff write from many addresses.
    sender = (BUREAUS[bureau], f"gxj{number % 40}@b{bureau}.example.cn")
    return mail(number, sender, f"{BUREAUS[bureau]}报送聚力攻坚专项课题（{number}）", f"请查收。\n{BUREAUS[bureau]}", files)


def make(like):
    folder, mails, seed = like.folder, like.mails, like.seed
    writer = Writer(seed)
    # Two mailboxes of one installation share neither credit codes nor Message-IDs.
    writer.count = first = like.first
    annexes = Annexes(writer)
    truth = {"mails": mails, "seed": seed, "rows": 0, "forms": 0, "topics": [], "bytes": 0}
    for part in ("new", "cur", "tmp"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    kinds = (["submission"] * 85 + ["again"] * 4 + ["plain"] * 5 + ["auto"] * 3 + ["bounce"] * 2 + ["damaged"])
    sent = []
    for number in range(first, first + mails):
        kind = "submission" if like.submissions else kinds[number * 37 % 100]
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
            raw = submission(writer, annexes, number, truth, like)
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
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder")
    arguments.add_argument("--mails", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--first", type=int, default=0, help="number of the first mail and topic")
    arguments.add_argument("--submissions", action="store_true", help="nothing but submissions")
    arguments.add_argument("--rows", type=int, help="topics in each workbook")
    arguments.add_argument("--bare", action="store_true", help="neither forms nor scans")
    arguments.add_argument("--scan-bytes", type=int, help="a scan of this size in each submission")
    arguments = arguments.parse_args()
    truth = make(arguments)
    with open(arguments.folder.rstrip("/") + ".json", "w", encoding="utf-8") as file:
        json.dump(truth, file, ensure_ascii=False)
    print(f"{truth['mails']} mails, {truth['bytes']} bytes, {truth['rows']} rows, {truth['forms']} forms")


if __name__ == "__main__":
    main()
