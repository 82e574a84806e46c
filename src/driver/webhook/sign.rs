//! Signatures, as each receiver asks for them: HMAC-SHA256 with the host's time in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::journal::hex;

fn mac(key: &str, text: &str) -> Result<Vec<u8>, InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

/// What is added to the address: `timestamp=…&sign=…`.
pub(super) fn dingtalk(secret: &str, now: Timestamp) -> Result<String, InvalidLength> {
    let at = now.as_millisecond();
    let sign = STANDARD.encode(mac(secret, &format!("{at}\n{secret}"))?);
    // All that base64 has and an address may not.
    let sign = sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    Ok(format!("timestamp={at}&sign={sign}"))
}

/// Signs the body in itself; the time and the secret are the key, and nothing is the text.
pub(super) fn feishu(secret: &str, now: Timestamp, body: &mut Value) -> Result<(), InvalidLength> {
    let at = now.as_second().to_string();
    let sign = STANDARD.encode(mac(&format!("{at}\n{secret}"), "")?);
    if let Value::Object(body) = body {
        body.insert("timestamp".to_owned(), json!(at));
        body.insert("sign".to_owned(), json!(sign));
    }
    Ok(())
}

/// The header `nightrun-signature`: `t=SECONDS,v1=HEX` over `SECONDS.BODY`.
pub(super) fn json(secret: &str, now: Timestamp, body: &str) -> Result<String, InvalidLength> {
    let at = now.as_second();
    let sign = hex(&mac(secret, &format!("{at}.{body}"))?);
    Ok(format!("t={at},v1={sign}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those that the samples of the services' own pages print for these times and secrets; DingTalk's has
    /// the secret `this is secret`, Feishu's `demo`.
    #[test]
    fn signatures_are_those_of_the_samples_of_each_service() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        assert_eq!(
            dingtalk("this is secret", at(1_577_262_236_757)).unwrap(),
            "timestamp=1577262236757&sign=hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"
        );
        let mut body = json!({ "msg_type": "text" });
        feishu("demo", at(1_599_360_473_000), &mut body).unwrap();
        let signed = json!({
            "msg_type": "text",
            "timestamp": "1599360473",
            "sign": "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=",
        });
        assert_eq!(body, signed);
        assert_eq!(
            json("key", at(1_761_868_800_000), r#"{"a":1}"#).unwrap(),
            "t=1761868800,v1=8308b654a89ddbf0148c7f25cd36fa276cd9524043c0ff8c8585a6a01d01e812"
        );
        // RFC 4231, test case 2.
        let mac = mac("Jefe", "what do ya want for nothing?").unwrap();
        let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&mac), known);
    }
}
