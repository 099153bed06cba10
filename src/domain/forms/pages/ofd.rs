//! Characters and ruled lines of an OFD (GB/T 33190-2016): a zip of XML, lengths in millimetres, y growing downwards.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{Glyph, Page};
use crate::domain::{forms::ReadProblem, limits::Limits};

const POINTS_PER_MM: f64 = 72.0 / 25.4;
/// Elements looked at in the lists of a document; pages come first in them, and `pages_max` of those are read.
const ELEMENTS_MAX: usize = 400_000;

/// The pages of an OFD.
///
/// # Errors
/// Broken, without pages, or unpacking to more than the limit.
pub fn pages(bytes: &[u8], limits: &Limits) -> Result<(Vec<Page>, bool), ReadProblem> {
    let damaged = || ReadProblem::Damaged("OFD文件已损坏或不完整".to_owned());
    let mut package = Package {
        archive: ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?,
        left_bytes: limits.container_file_max_bytes,
        max_bytes: limits.container_file_max_bytes,
    };
    let root = package.text("OFD.xml")?.ok_or_else(damaged)?;
    if package.archive.file_names_raw().any(|name| name.ends_with(b"Encryptions.xml")) {
        return Err(ReadProblem::Encrypted);
    }
    let mut pages = Vec::new();
    let mut more = false;
    let mut chars = 0;
    for document in texts_of(&root, "DocRoot") {
        let document = document.trim_start_matches('/').to_owned();
        let Some(text) = package.text(&document)? else { continue };
        let folder = folder_of(&document);
        let templates: BTreeMap<String, String> = elements(&text, "TemplatePage")
            .into_iter()
            .filter_map(|mut element| Some((element.remove("ID")?, element.remove("BaseLoc")?)))
            .collect();
        for page in elements(&text, "Page") {
            if pages.len() >= limits.pages_max {
                more = true;
                break;
            }
            let Some(place) = page.get("BaseLoc") else { continue };
            let width = texts_of(&text, "PhysicalBox").first().and_then(|area| area.split_whitespace().nth(2)?.parse().ok()).unwrap_or(0.0);
            let mut content = Page { width: width * POINTS_PER_MM, ..Page::default() };
            if let Some(text) = package.text(&join(&folder, place))? {
                let used = elements(&text, "Template");
                for template in used.iter().filter_map(|element| element.get("TemplateID")).filter_map(|id| templates.get(id)) {
                    if let Some(text) = package.text(&join(&folder, template))? {
                        read_content(&text, &mut content, limits);
                    }
                }
                read_content(&text, &mut content, limits);
            }
            super::count_chars(&mut chars, &content, limits)?;
            pages.push(content);
        }
    }
    if pages.is_empty() { Err(damaged()) } else { Ok((pages, more)) }
}

/// Where a page stands: from the package's root, or beside the document.
fn join(folder: &str, place: &str) -> String {
    match place.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None if place.starts_with(folder) && !folder.is_empty() => place.to_owned(),
        None => format!("{folder}{place}"),
    }
}

fn folder_of(path: &str) -> String {
    path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or_default().to_owned()
}

struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    left_bytes: usize,
    max_bytes: usize,
}

impl Package<'_> {
    /// One XML part; `None` where it is missing or broken.
    fn text(&mut self, name: &str) -> Result<Option<String>, ReadProblem> {
        let Ok(entry) = self.archive.by_name(name) else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = entry.take(self.left_bytes as u64 + 1).read_to_end(&mut bytes);
        if bytes.len() > self.left_bytes {
            return Err(ReadProblem::Refused(format!("OFD文件解压后超过{}MB的上限", self.max_bytes >> 20)));
        }
        self.left_bytes -= bytes.len();
        Ok(read.ok().map(|_| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// Attributes of all elements with this local name.
fn elements(xml: &str, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut found = Vec::new();
    let mut reader = Reader::from_str(xml);
    for _ in 0..ELEMENTS_MAX {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) if element.local_name().as_ref() == name => found.push(attributes(&element)),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    found
}

/// Texts of all elements with this local name.
fn texts_of(xml: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut reader = Reader::from_str(xml);
    let mut inside = false;
    for _ in 0..ELEMENTS_MAX {
        match reader.read_event() {
            Ok(Event::Start(element)) => inside = element.local_name().as_ref() == name,
            Ok(Event::End(_)) => inside = false,
            Ok(Event::Text(text)) if inside => found.push(text.trim().to_owned()),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    found
}

fn attributes(element: &BytesStart<'_>) -> BTreeMap<String, String> {
    element
        .attributes()
        .filter_map(Result::ok)
        .map(|attribute| {
            let key = attribute.key.local_name().as_ref().to_owned();
            (key, attribute.value.into_owned())
        })
        .collect()
}

fn numbers(text: Option<&String>) -> Vec<f64> {
    text.map(|text| text.split_whitespace().filter_map(|number| number.parse().ok()).collect()).unwrap_or_default()
}

/// The object that is open: its box and, for text, its size and transformation.
#[derive(Default)]
struct Object {
    x: f64,
    y: f64,
    size: f64,
    /// Scale and shift of CTM; rotations are not followed.
    matrix: [f64; 6],
}

impl Object {
    fn of(element: &BTreeMap<String, String>) -> Self {
        let bounds = numbers(element.get("Boundary"));
        let ctm = numbers(element.get("CTM"));
        let matrix = <[f64; 6]>::try_from(ctm).unwrap_or([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        Self {
            x: bounds.first().copied().unwrap_or(0.0),
            y: bounds.get(1).copied().unwrap_or(0.0),
            size: numbers(element.get("Size")).first().copied().unwrap_or(4.0),
            matrix,
        }
    }

    /// A point of the object on the page, in points.
    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.matrix;
        ((self.x + a * x + c * y + e) * POINTS_PER_MM, (self.y + b * x + d * y + f) * POINTS_PER_MM)
    }

    fn scale(&self) -> f64 {
        let [a, b, ..] = self.matrix;
        a.hypot(b).max(1e-3)
    }
}

fn read_content(xml: &str, page: &mut Page, limits: &Limits) {
    let mut reader = Reader::from_str(xml);
    let mut object = Object::default();
    let mut code: Option<BTreeMap<String, String>> = None;
    let mut text = String::new();
    let mut in_path = false;
    for _ in 0..limits.page_elements_max {
        match reader.read_event() {
            Ok(Event::Start(element)) => match element.local_name().as_ref() {
                "TextObject" | "PathObject" => object = Object::of(&attributes(&element)),
                "TextCode" => code = Some(attributes(&element)),
                "AbbreviatedData" => in_path = true,
                _ => {}
            },
            Ok(Event::Text(piece)) => text.push_str(&piece),
            Ok(Event::CData(piece)) => text.push_str(&piece),
            Ok(Event::GeneralRef(entity)) => text.push_str(&reference(&entity)),
            Ok(Event::End(_)) => {
                if let Some(code) = code.take() {
                    add_text(page, &object, &code, &text, limits);
                } else if in_path {
                    add_path(page, &object, &text, limits);
                    in_path = false;
                }
                text.clear();
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
    page.cut.get_or_insert_with(|| format!("内容超过每页{}个元素的上限，其后的没有读取", limits.page_elements_max));
}

/// `&amp;` and `&#x9644;` come as events of their own.
fn reference(entity: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return c.to_string();
    }
    match &**entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
    .to_owned()
}

fn add_text(page: &mut Page, object: &Object, code: &BTreeMap<String, String>, text: &str, limits: &Limits) {
    let start = |key: &str| code.get(key).and_then(|value| value.trim().parse::<f64>().ok()).unwrap_or(0.0);
    let (mut x, mut y) = (start("X"), start("Y"));
    let mut steps_x = steps(code.get("DeltaX"));
    let mut steps_y = steps(code.get("DeltaY"));
    let size = object.size * object.scale() * POINTS_PER_MM;
    for c in text.trim_matches(['\r', '\n']).chars() {
        let guess = if c.is_ascii() { object.size / 2.0 } else { object.size };
        // The step to the next character is its width, unless it is a gap.
        let step = steps_x.next();
        let width = step.filter(|step| (0.1..1.3).contains(&(step / object.size))).unwrap_or(guess);
        let (place_x, place_y) = object.place(x, y);
        page.add_glyph(Glyph { x: place_x, y: place_y, width: width * object.scale() * POINTS_PER_MM, size, text: c.to_string() }, limits);
        x += step.unwrap_or(if code.contains_key("DeltaY") { 0.0 } else { guess });
        y += steps_y.next().unwrap_or(0.0);
    }
}

/// `3.5 g 4 3.5 2`: `g n d` stands for n times d.
fn steps(text: Option<&String>) -> impl Iterator<Item = f64> {
    let words: Vec<String> = text.map(|text| text.split_whitespace().map(str::to_owned).collect()).unwrap_or_default();
    let mut out = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "g" {
            let count: usize = words.next().and_then(|count| count.parse().ok()).unwrap_or(0);
            let step: f64 = words.next().and_then(|step| step.parse().ok()).unwrap_or(0.0);
            out.extend(std::iter::repeat_n(step, count.min(10_000)));
        } else {
            out.extend(word.parse::<f64>().ok());
        }
        if out.len() > 100_000 {
            break;
        }
    }
    out.into_iter()
}

/// `M x y L x y … C`: only straight pieces matter.
fn add_path(page: &mut Page, object: &Object, data: &str, limits: &Limits) {
    let mut words = data.split_whitespace();
    let (mut start, mut at) = ((0.0, 0.0), (0.0, 0.0));
    while let Some(command) = words.next() {
        let mut point = || Some((words.next()?.parse::<f64>().ok()?, words.next()?.parse::<f64>().ok()?));
        let to = match command {
            "M" | "S" => {
                let Some(to) = point() else { return };
                start = to;
                at = to;
                continue;
            }
            "L" => point(),
            "C" => Some(start),
            // Curves: their end is where the next piece begins.
            "Q" => point().and_then(|_| point()).inspect(|to| at = *to),
            "B" => point().and_then(|_| point()).and_then(|_| point()).inspect(|to| at = *to),
            _ => continue,
        };
        let Some(to) = to else { return };
        page.add_rule(object.place(at.0, at.1), object.place(to.0, to.1), limits);
        at = to;
    }
}
