//! Messages to rooms of chats and to programs: a few lines, in the markup of each receiver.
//!
//! What people and jobs have written is text there too: it neither begins markup nor calls everybody. WeCom and DingTalk
//! document no way to escape, so what their markup is made of is written with the full-width form of the character.

use serde_json::{Value, json};

use super::table::{harmless, one_line};
use crate::definition::site::WebhookFormat;
use crate::types::Lang;

/// A message in short.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brief {
    pub title: String,
    /// Each a line of its own.
    pub lines: Vec<String>,
    /// The last lines that a job has printed.
    pub output: Vec<String>,
    /// What the reader can do.
    pub after: Vec<String>,
    /// What it is about, for programs.
    pub about: Value,
}

/// What goes with a message to a program.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The same at every try.
    pub id: &'a str,
    /// The same for all messages about one matter.
    pub thread: &'a str,
    pub site: &'a str,
    pub at: jiff::Timestamp,
}

/// The body of a message. `output`: whether what a job has printed goes with it.
pub fn body(
    format: WebhookFormat,
    lang: Lang,
    brief: &Brief,
    (around, output): (Around<'_>, bool),
) -> Value {
    let printed = if output { brief.output.as_slice() } else { &[] };
    let fitted = |room: Room| room.fitted(brief, printed);
    match format {
        WebhookFormat::Wecom => {
            let (title, lines) = fitted(WECOM);
            let content = format!("**{title}**\n{}", lines.join("\n"));
            json!({ "msgtype": "markdown", "markdown": { "content": content } })
        }
        WebhookFormat::Dingtalk => {
            let (title, lines) = fitted(DINGTALK);
            // A line of its own takes an empty one before it there.
            let text = format!("### {title}\n\n{}", lines.join("\n\n"));
            json!({
                "msgtype": "markdown",
                "markdown": { "title": title, "text": text },
                "at": { "isAtAll": false },
            })
        }
        WebhookFormat::Feishu => {
            let (title, lines) = fitted(FEISHU);
            let line = |text: String| json!([{ "tag": "text", "text": text }]);
            let content: Vec<Value> = lines.into_iter().map(line).collect();
            let tongue = match lang {
                Lang::En => "en_us",
                Lang::Zh => "zh_cn",
            };
            let post = json!({ tongue: { "title": title, "content": content } });
            json!({ "msg_type": "post", "content": { "post": post } })
        }
        WebhookFormat::Slack => {
            let (title, lines) = fitted(SLACK);
            let head: String = one_line(&brief.title).chars().take(SLACK_HEAD).collect();
            let text = lines.join("\n");
            let mut blocks =
                vec![json!({ "type": "header", "text": { "type": "plain_text", "text": head } })];
            if !text.is_empty() {
                let text = json!({ "type": "mrkdwn", "text": text, "verbatim": true });
                blocks.push(json!({ "type": "section", "text": text }));
            }
            json!({ "text": title, "blocks": blocks })
        }
        WebhookFormat::Json => json!({
            "version": 1,
            "id": around.id,
            "thread": around.thread,
            "at": around.at,
            "site": around.site,
            "language": lang,
            "title": brief.title,
            "lines": plain(&brief.lines),
            "output": plain(printed),
            "after": plain(&brief.after),
            "about": brief.about,
        }),
    }
}

fn plain(lines: &[String]) -> Vec<String> {
    lines.iter().filter(|line| !line.is_empty()).map(|line| harmless(line)).collect()
}

/// Characters of a heading of Slack.
const SLACK_HEAD: usize = 150;

/// What a room of a chat has place for, and how text is written there.
#[derive(Clone, Copy)]
struct Room {
    /// Of title and lines together, in bytes of UTF-8 or in characters.
    most: usize,
    measure: fn(&str) -> usize,
    write: fn(char, &mut String),
    /// Before a line that a job has printed.
    quote: &'static str,
}

/// 4096 bytes of content.
const WECOM: Room = Room { most: 4000, measure: str::len, write: full_width, quote: "> " };
/// 20,000 bytes of body; a byte of text may take two of JSON.
const DINGTALK: Room = Room { most: 9000, measure: str::len, write: full_width, quote: "> " };
/// 20 KB of body, with about 30 bytes around each line.
const FEISHU: Room = Room { most: 7000, measure: str::len, write: no_call, quote: "| " };
/// 3000 characters of a section.
const SLACK: Room = Room { most: 2900, measure: characters, write: entities, quote: "&gt; " };

fn characters(text: &str) -> usize {
    text.chars().count()
}

fn full_width(c: char, out: &mut String) {
    out.push(match c {
        '<' => '＜',
        '>' => '＞',
        '[' => '［',
        ']' => '］',
        '*' => '＊',
        '`' => '｀',
        '#' => '＃',
        '@' => '＠',
        '&' => '＆',
        other => other,
    });
}

/// Text is text in a post of Feishu; `<at user_id="all">` is taken out of its hands all the same.
fn no_call(c: char, out: &mut String) {
    out.push(match c {
        '<' => '＜',
        '@' => '＠',
        other => other,
    });
}

fn entities(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '*' => out.push('＊'),
        '`' => out.push('｀'),
        '@' => out.push('＠'),
        other => out.push(other),
    }
}

/// Between lines, with what a receiver needs there.
const BETWEEN: usize = 4;
const CUT: &str = "…";

impl Room {
    /// Title and lines that fit in. What a job has printed gives way first, from its beginning.
    fn fitted(self, brief: &Brief, printed: &[String]) -> (String, Vec<String>) {
        // A title takes a quarter at the most.
        let title = self.line(&brief.title, "", self.most / 4);
        let mut left = self.most - (self.measure)(&title) - BETWEEN;
        let mut take = |texts: &[String]| {
            let mut lines = Vec::new();
            for text in texts.iter().filter(|text| !text.is_empty()) {
                let line = self.line(text, "", left.saturating_sub(BETWEEN));
                left = left.saturating_sub((self.measure)(&line) + BETWEEN);
                if line.is_empty() {
                    break;
                }
                lines.push(line);
            }
            lines
        };
        let (mut lines, after) = (take(&brief.lines), take(&brief.after));
        let mut quoted = Vec::new();
        for text in printed.iter().rev() {
            let line = self.line(text, self.quote, left.saturating_sub(BETWEEN));
            if line.is_empty() || line.ends_with(CUT) {
                break;
            }
            left = left.saturating_sub((self.measure)(&line) + BETWEEN);
            quoted.push(line);
        }
        lines.extend(quoted.into_iter().rev());
        lines.extend(after);
        (title, lines)
    }

    /// A text on one line, as it is written there, within a length: cut between characters, and then it says so.
    fn line(self, text: &str, before: &str, most: usize) -> String {
        let mut out = before.to_owned();
        let mut fits = 0;
        for c in one_line(text).chars() {
            (self.write)(c, &mut out);
            let used = (self.measure)(&out);
            if used > most {
                out.truncate(fits);
                return if fits > 0 { out + CUT } else { String::new() };
            }
            if used + (self.measure)(CUT) <= most {
                fits = out.len();
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [WebhookFormat; 5] = [
        WebhookFormat::Wecom,
        WebhookFormat::Dingtalk,
        WebhookFormat::Feishu,
        WebhookFormat::Slack,
        WebhookFormat::Json,
    ];

    fn made(format: WebhookFormat, lang: Lang, brief: &Brief) -> Value {
        let at = "2026-10-30T22:00:00Z".parse().unwrap();
        let around = Around { id: "<a@b>", thread: "<t@b>", site: "Bank", at };
        body(format, lang, brief, (around, true))
    }

    /// Each format in both languages, of a failure whose log tries to be more than text.
    #[test]
    fn an_incident_in_every_format() {
        use crate::core::night::Notice;
        use crate::render::incident_mail;
        use crate::render::mail::Reader;
        use crate::render::sample::{fault, in_both};
        let room = "operations".parse().unwrap();
        let mut view = fault();
        if let Some(job) = &mut view.job {
            job.tail.push("psql: <!channel> *fatal* @all [x](http://y)".to_owned());
        }
        for format in FORMATS {
            let made = in_both(|lang| {
                let reader = Reader::Room(&room);
                let mail = incident_mail::mail(lang, &view, &Notice::Opened, reader).unwrap();
                serde_json::to_string_pretty(&made(format, lang, &mail.brief)).unwrap()
            });
            insta::assert_snapshot!(format.word(), made);
        }
    }

    /// All texts of a body that somebody reads.
    fn texts(body: &Value, found: &mut Vec<String>) {
        match body {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(map) => map.values().for_each(|item| texts(item, found)),
            _ => {}
        }
    }

    #[test]
    fn nothing_that_is_written_calls_everybody_or_begins_markup() {
        let bad =
            "<!channel> <@all> <at user_id=\"all\"></at> @all [a](http://b) **c** `d` # e &lt;f";
        let brief = Brief {
            title: bad.to_owned(),
            lines: vec![bad.to_owned()],
            output: vec![format!("# {bad}\u{1b}[31m")],
            after: vec![bad.to_owned()],
            about: Value::Null,
        };
        for format in FORMATS.into_iter().filter(|format| *format != WebhookFormat::Json) {
            let body = made(format, Lang::En, &brief);
            let mut found = Vec::new();
            texts(&body, &mut found);
            // A heading of Slack is plain text there.
            let heading = body.pointer("/blocks/0/text/text").and_then(Value::as_str);
            found.retain(|text| Some(text.as_str()) != heading);
            let all = found.join("\n");
            // In a post of Feishu, text is text; in Slack brackets are.
            let marks: &[&str] = match format {
                WebhookFormat::Wecom | WebhookFormat::Dingtalk => &["](", "**c", "`d`", "# e"],
                WebhookFormat::Slack => &["*c", "`d`", "http://b>"],
                WebhookFormat::Feishu | WebhookFormat::Json => &[],
            };
            for word in ["<!", "<@", "<at", "@all", "\u{1b}"].iter().chain(marks) {
                assert!(!all.contains(word), "{format:?} {word}: {all}");
            }
        }
    }

    #[test]
    fn lengths_are_held_between_characters_and_the_end_of_the_output_stays() {
        let long = "批次<执行>&".repeat(2000);
        let brief = Brief {
            title: long.clone(),
            lines: vec!["first".to_owned(), long.clone(), "never".to_owned()],
            ..Brief::default()
        };
        let short = Brief {
            title: "t".to_owned(),
            lines: vec!["first".to_owned()],
            output: (0..2000).map(|n| format!("output {n}")).collect(),
            after: vec!["ack".to_owned()],
            about: Value::Null,
        };
        for (format, most) in [
            (WebhookFormat::Wecom, 4096),
            (WebhookFormat::Dingtalk, 20_000),
            (WebhookFormat::Feishu, 20_000),
        ] {
            for brief in [&brief, &short] {
                let body = made(format, Lang::Zh, brief);
                let content = body.pointer("/markdown/content").and_then(Value::as_str);
                let size = content.map_or(body.to_string().len(), str::len);
                assert!(size <= most, "{format:?}: {size}");
                let mut found = Vec::new();
                texts(&body, &mut found);
                let all = found.join("\n");
                assert!(all.contains("first"), "{format:?}");
            }
        }
        let body = made(WebhookFormat::Slack, Lang::Zh, &brief);
        let section = body["blocks"][1]["text"]["text"].as_str().unwrap();
        assert!(characters(section) <= 3000 && section.ends_with('…'), "{section}");
        let rest = section.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "");
        assert!(!rest.contains('&'), "an entity was cut: {rest}");
        assert!(characters(body["blocks"][0]["text"]["text"].as_str().unwrap()) <= 150);
        let body = made(WebhookFormat::Wecom, Lang::En, &short);
        let content = body["markdown"]["content"].as_str().unwrap();
        assert!(content.ends_with("> output 1999\nack"), "{content}");
        assert!(!content.contains("> output 0\n"));
    }
}
