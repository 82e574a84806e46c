//! Words of the ways in which people are told.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::{Read, Reader, Shape};
use super::{Leaf, Wrong, leaf};
use crate::definition::nearest;
use crate::definition::site::{Way, WebhookFormat};
use crate::definition::yaml::Node;

words! {
    Way { "mail" => Self::Mail, "webhook" => Self::Webhook }
    WebhookFormat {
        "wecom" => Self::Wecom,
        "dingtalk" => Self::Dingtalk,
        "feishu" => Self::Feishu,
        "slack" => Self::Slack,
        "json" => Self::Json,
    }
}
