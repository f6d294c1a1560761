//! Connectors of MANAGED knowledge bases: what their parameters say, in the words of the data sources that any knowledge
//! base can have. Their form is the user guide's ("Connect a data source", version 1).

mod services;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use outcrop_api::bedrock_agent::{
    DataSourceConfiguration, DataSourceType, EnabledOrDisabledState, ManagedKnowledgeBaseConnectorConfiguration,
    S3DataSourceConfiguration,
};
use serde_json::Value;

use super::broken;
use crate::KnowledgeError;
use crate::ingest::sources::connector::salesforce;
use crate::kept::DataSource;
pub(crate) use services::Bounds;
use services::Parameters;

/// The most that a sync may delete, in percent of a source's documents, where deletion protection names no other
/// (user guide).
const THRESHOLD: u8 = 15;

/// What a connector is among the data sources of any knowledge base; others are what they are.
pub(crate) fn plain(told: &DataSourceConfiguration) -> Result<Cow<'_, DataSourceConfiguration>, KnowledgeError> {
    if told.r#type != DataSourceType::ManagedKnowledgeBaseConnector {
        return Ok(Cow::Borrowed(told));
    }
    let parameters = told.managed_knowledge_base_connector_configuration.as_ref();
    let Some(parameters) = parameters.and_then(|told| told.connector_parameters.as_ref()) else {
        return broken(
            "managedKnowledgeBaseConnectorConfiguration with connectorParameters is required when data source type is \
             MANAGED_KNOWLEDGE_BASE_CONNECTOR",
        );
    };
    let parameters = &*document(parameters);
    if parameters["version"] != "1" {
        return broken("connectorParameters.version must be 1");
    }
    // Until there are ACLs, whoever asks would be answered from documents that are not theirs.
    let acl = &parameters["aclEnabled"];
    if !acl.is_null() && !acl.is_boolean() {
        return broken("connectorParameters.aclEnabled must be true or false");
    }
    if *acl == true {
        return broken(
            "connectorParameters.aclEnabled is not supported: document-level access control is not implemented",
        );
    }
    largest(parameters)?;
    let mut plain = DataSourceConfiguration::default();
    match parameters["type"].as_str() {
        Some("WEB") => {
            plain.r#type = DataSourceType::Web;
            plain.web_configuration = Some(Parameters { kind: "WEB", told: parameters }.web()?);
        }
        Some("CONFLUENCE") => {
            plain.r#type = DataSourceType::Confluence;
            let told = Parameters { kind: "CONFLUENCE", told: parameters };
            plain.confluence_configuration = Some(told.confluence()?);
        }
        Some("SHAREPOINT") => {
            plain.r#type = DataSourceType::Sharepoint;
            let told = Parameters { kind: "SHAREPOINT", told: parameters };
            plain.share_point_configuration = Some(told.share_point()?);
        }
        Some("SALESFORCE") => {
            plain.r#type = DataSourceType::Salesforce;
            let told = Parameters { kind: "SALESFORCE", told: parameters };
            plain.salesforce_configuration = Some(told.salesforce(&salesforce::names())?);
        }
        Some("CUSTOM") => plain.r#type = DataSourceType::Custom,
        Some("S3") => {
            plain.r#type = DataSourceType::S3;
            plain.s3_configuration = Some(s3(parameters)?);
        }
        Some(other) => {
            return Err(KnowledgeError::NotBuilt(format!("Connectors of type {other} are not implemented.")));
        }
        None => return broken("connectorParameters.type is required"),
    }
    Ok(Cow::Owned(plain))
}

/// How far the crawl of a connector to web pages goes; none where it is no such connector.
pub(crate) fn bounds(told: &DataSourceConfiguration) -> Option<Bounds> {
    let told = told.managed_knowledge_base_connector_configuration.as_ref()?.connector_parameters.as_ref()?;
    let told = &*document(told);
    (told["type"] == "WEB").then(|| Parameters { kind: "WEB", told }.bounds().ok())?
}

/// The most bytes of a file that a connector reads, where it says. AWS writes the number as a string, and 500 where
/// nobody says.
fn largest(parameters: &Value) -> Result<Option<u64>, KnowledgeError> {
    let told = &parameters["filterConfiguration"]["maxFileSizeInMegaBytes"];
    let number = told.as_u64().or_else(|| told.as_str()?.trim().parse().ok());
    match number.filter(|megabytes| *megabytes > 0) {
        Some(megabytes) => Ok(Some(megabytes.saturating_mul(1024 * 1024))),
        None if told.is_null() => Ok(None),
        None => broken(
            "connectorParameters.filterConfiguration.maxFileSizeInMegaBytes must be a whole number, and at least 1",
        ),
    }
}

/// Some clients send the document as the text of one.
fn document(told: &Value) -> Cow<'_, Value> {
    let read = told.as_str().and_then(|text| serde_json::from_str(text).ok());
    read.map_or(Cow::Borrowed(told), Cow::Owned)
}

fn s3(parameters: &Value) -> Result<S3DataSourceConfiguration, KnowledgeError> {
    let connection = &parameters["connectionConfiguration"];
    let Some(bucket) = connection["bucketName"].as_str() else {
        return broken(
            "connectorParameters.connectionConfiguration.bucketName is required when the connector type is S3",
        );
    };
    let mut inclusion = None;
    for (name, value) in parameters["filterConfiguration"].as_object().into_iter().flatten() {
        let one = value.as_array().filter(|prefixes| prefixes.len() == 1).and_then(|prefixes| prefixes[0].as_str());
        match (name.as_str(), one) {
            ("inclusionPrefixes", Some(prefix)) => inclusion = Some(vec![prefix.to_owned()]),
            ("maxFileSizeInMegaBytes", _) => {}
            _ if value.as_array().is_some_and(Vec::is_empty) => {}
            ("inclusionPrefixes", None) => {
                return Err(KnowledgeError::NotBuilt("More than one inclusion prefix is not implemented.".into()));
            }
            // What is left out of a filter would be read against its will.
            (other, _) => {
                return Err(KnowledgeError::NotBuilt(format!(
                    "The filter {other} of S3 connectors is not implemented."
                )));
            }
        }
    }
    Ok(S3DataSourceConfiguration {
        bucket_arn: format!("arn:aws:s3:::{bucket}"),
        inclusion_prefixes: inclusion,
        bucket_owner_account_id: connection["bucketOwnerAccountId"].as_str().map(str::to_owned),
    })
}

impl DataSource {
    /// Its connector, in a MANAGED knowledge base.
    pub(crate) fn connector(&self) -> Option<&ManagedKnowledgeBaseConnectorConfiguration> {
        self.configuration.0.managed_knowledge_base_connector_configuration.as_ref()
    }

    /// What it is among the data sources of any knowledge base.
    pub(crate) fn kind(&self) -> DataSourceType {
        plain(&self.configuration.0).map_or_else(|_| self.configuration.0.r#type.clone(), |told| told.r#type.clone())
    }

    /// The most bytes of a file that its connector reads, where that is bounded.
    pub(crate) fn largest(&self) -> Option<u64> {
        largest(&document(self.connector()?.connector_parameters.as_ref()?)).ok()?
    }

    /// The most that a sync may delete, in percent of its documents, where that is bounded.
    pub(crate) fn deletes_at_most(&self) -> Option<u8> {
        let told = self.connector()?.deletion_protection_configuration.as_ref()?;
        if told.deletion_protection_status != EnabledOrDisabledState::Enabled {
            return None;
        }
        Some(told.deletion_protection_threshold.and_then(|percent| u8::try_from(percent).ok()).unwrap_or(THRESHOLD))
    }
}
