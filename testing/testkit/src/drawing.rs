//! Building blocks of HTML pages and of the SVG drawings in them. Colours come from the page's
//! classes, so that they fit a light page and a dark one.

/// The style sheet of every page.
pub const STYLE: &str = include_str!("page.css");

/// Escapes `text` for HTML and SVG.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A section of a page. `content` is HTML; `note`, unless empty, is the text below it.
pub fn section(title: &str, content: &str, note: &str) -> String {
    let note = if note.is_empty() {
        String::new()
    } else {
        format!("<p class=\"note\">{}</p>", escaped(note))
    };
    format!("<section><h2>{}</h2>\n{content}{note}</section>\n", escaped(title))
}

/// A drawing of this size, which shrinks with the page; `about` describes it.
pub fn drawing(width: f64, height: f64, about: &str, content: &str) -> String {
    let about = escaped(about);
    format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{about}\">\
         <title>{about}</title>{content}</svg>\n"
    )
}

/// A filled rectangle: left, top, width, height.
pub fn block(class: &str, [x, y, width, height]: [f64; 4]) -> String {
    let width = width.max(0.0);
    format!(
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" rx=\"2\"/>"
    )
}

/// A line from one point to another.
pub fn stroke(class: &str, [x1, y1, x2, y2]: [f64; 4]) -> String {
    format!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>")
}

/// Text at a point; the class decides the side of the point.
pub fn label(class: &str, x: f64, y: f64, text: &str) -> String {
    let text = escaped(text);
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>")
}

/// The minimum and the maximum of several rounds: a thin line with ends, at the height `y`. Empty
/// if they are less than a pixel apart.
pub fn spread(from: f64, to: f64, y: f64) -> String {
    if to - from < 1.0 {
        return String::new();
    }
    stroke("spread", [from, y, to, y])
        + &stroke("spread", [from, y - 4.0, from, y + 4.0])
        + &stroke("spread", [to, y - 4.0, to, y + 4.0])
}
