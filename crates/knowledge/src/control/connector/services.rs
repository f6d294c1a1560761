//! Connectors to web pages, Confluence, SharePoint and Salesforce, in the words of plain data sources. What would be
//! left out of a filter would be read against its will: a setting without a counterpart is refused by its name.

use outcrop_api::bedrock_agent::{
    ConfluenceAuthType, ConfluenceCrawlerConfiguration, ConfluenceDataSourceConfiguration, ConfluenceHostType,
    ConfluenceSourceConfiguration, CrawlFilterConfiguration, CrawlFilterConfigurationType, PatternObjectFilter,
    PatternObjectFilterConfiguration, SalesforceAuthType, SalesforceCrawlerConfiguration,
    SalesforceDataSourceConfiguration, SalesforceSourceConfiguration, SeedUrl, SharePointAuthType,
    SharePointCrawlerConfiguration, SharePointDataSourceConfiguration, SharePointHostType,
    SharePointSourceConfiguration, UrlConfiguration, WebCrawlerConfiguration, WebCrawlerLimits,
    WebDataSourceConfiguration, WebScopeType, WebSourceConfiguration,
};
use serde_json::Value;

use crate::KnowledgeError;
use crate::control::broken;

/// Seed URLs of a connector, and its sitemaps (user guide).
const MOST_SEEDS: usize = 10;
/// What stands for files in a URL, where they are not to be read.
const FILES: &str = r"(?i)\.(pdf|docx?|pptx?|xlsx?|csv|txt|md|markdown|eml|rtf)([?#]|$)";
/// Matches every name.
const ALL: &str = ".*";

/// Where a crawl of a connector begins beside its seeds, and how far it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Lists of pages that it begins at.
    pub sitemaps: Vec<String>,
    /// Links from a seed.
    pub depth: u32,
    /// Links that are followed from one page.
    pub links: usize,
}

/// The parameters of one connector.
pub(super) struct Parameters<'a> {
    pub kind: &'static str,
    pub told: &'a Value,
}

impl<'a> Parameters<'a> {
    fn connection(&self, name: &str) -> Result<&'a str, KnowledgeError> {
        match self.told["connectionConfiguration"][name].as_str() {
            Some(text) => Ok(text),
            None => broken(format!(
                "connectorParameters.connectionConfiguration.{name} is required when the connector type is {}",
                self.kind
            )),
        }
    }

    /// Refuses what a block says beside `known`, unless it says nothing.
    fn only(&self, block: &str, known: &[&str]) -> Result<(), KnowledgeError> {
        for (name, value) in self.told[block].as_object().into_iter().flatten() {
            let nothing = match value {
                Value::Null | Value::Bool(false) => true,
                Value::Array(all) => all.is_empty(),
                _ => false,
            };
            if !nothing && !known.contains(&&**name) {
                return Err(self.not_built(&format!("setting {block}.{name}")));
            }
        }
        Ok(())
    }

    fn not_built(&self, what: &str) -> KnowledgeError {
        KnowledgeError::NotBuilt(format!("The {what} of {} connectors is not implemented.", self.kind))
    }

    fn flag(&self, block: &str, name: &str, unsaid: bool) -> Result<bool, KnowledgeError> {
        match &self.told[block][name] {
            Value::Null => Ok(unsaid),
            Value::Bool(told) => Ok(*told),
            _ => broken(format!("connectorParameters.{block}.{name} must be true or false")),
        }
    }

    fn number(&self, block: &str, name: &str, (least, most): (u64, u64)) -> Result<Option<u64>, KnowledgeError> {
        match &self.told[block][name] {
            Value::Null => Ok(None),
            told => match told.as_u64().filter(|told| (least..=most).contains(told)) {
                Some(told) => Ok(Some(told)),
                None => broken(format!("connectorParameters.{block}.{name} must be a number from {least} to {most}")),
            },
        }
    }

    fn list(&self, block: &str, name: &str) -> Result<Vec<String>, KnowledgeError> {
        let Value::Array(all) = &self.told[block][name] else {
            return if self.told[block][name].is_null() {
                Ok(Vec::new())
            } else {
                broken(format!("connectorParameters.{block}.{name} must be a list of strings"))
            };
        };
        let texts: Option<Vec<String>> = all.iter().map(|one| one.as_str().map(str::to_owned)).collect();
        texts.map_or_else(|| broken(format!("connectorParameters.{block}.{name} must be a list of strings")), Ok)
    }

    /// The bounds of a crawl, with the user guide's defaults.
    pub(super) fn bounds(&self) -> Result<Bounds, KnowledgeError> {
        let depth = self.number("crawlConfiguration", "crawlDepth", (0, 10))?.unwrap_or(2);
        let links = self.number("crawlConfiguration", "maxLinksPerUrl", (1, 1000))?.unwrap_or(100);
        Ok(Bounds {
            sitemaps: self.list("connectionConfiguration", "siteMapUrls")?,
            depth: depth.try_into().unwrap_or(u32::MAX),
            links: links.try_into().unwrap_or(usize::MAX),
        })
    }

    pub(super) fn web(&self) -> Result<WebDataSourceConfiguration, KnowledgeError> {
        self.only("connectionConfiguration", &["seedUrls", "siteMapUrls", "authType"])?;
        self.only("filterConfiguration", &["inclusionPatterns", "exclusionPatterns", "maxFileSizeInMegaBytes"])?;
        // Pages are read as they come, without their programs: there is nothing to wait for.
        let known = ["crawlDepth", "maxLinksPerUrl", "maxCrawledUrlsPerMinute", "syncScope", "crawlAttachments"];
        self.only("crawlConfiguration", &[&known[..], &["implicitWaitInSeconds"]].concat())?;
        let sitemaps = self.bounds()?.sitemaps.len();
        if self.connection("authType")? != "NO_AUTH" {
            return Err(self.not_built("authentication other than NO_AUTH"));
        }
        let seeds = self.list("connectionConfiguration", "seedUrls")?;
        if seeds.len() + sitemaps == 0 || seeds.len() > MOST_SEEDS || sitemaps > MOST_SEEDS {
            return broken(format!(
                "connectorParameters.connectionConfiguration must name 1 to {MOST_SEEDS} seedUrls or siteMapUrls"
            ));
        }
        let scope = match &self.told["crawlConfiguration"]["syncScope"] {
            Value::Null => None,
            told => match told.as_str() {
                Some("PATH_SPECIFIC") => None,
                Some("DOMAINS_ONLY") => Some(WebScopeType::HostOnly),
                Some("SUB_DOMAINS") => Some(WebScopeType::Subdomains),
                _ => {
                    return broken(
                        "connectorParameters.crawlConfiguration.syncScope must be PATH_SPECIFIC, DOMAINS_ONLY or \
                         SUB_DOMAINS",
                    );
                }
            },
        };
        let mut exclusion = self.list("filterConfiguration", "exclusionPatterns")?;
        if !self.flag("crawlConfiguration", "crawlAttachments", true)? {
            exclusion.push(FILES.to_owned());
        }
        let inclusion = self.list("filterConfiguration", "inclusionPatterns")?;
        let rate = self.number("crawlConfiguration", "maxCrawledUrlsPerMinute", (1, 300))?;
        let seed = |url| SeedUrl { url: Some(url) };
        Ok(WebDataSourceConfiguration {
            source_configuration: WebSourceConfiguration {
                url_configuration: UrlConfiguration { seed_urls: Some(seeds.into_iter().map(seed).collect()) },
            },
            crawler_configuration: Some(WebCrawlerConfiguration {
                crawler_limits: Some(WebCrawlerLimits {
                    rate_limit: rate.and_then(|rate| rate.try_into().ok()),
                    ..WebCrawlerLimits::default()
                }),
                inclusion_filters: (!inclusion.is_empty()).then_some(inclusion),
                exclusion_filters: (!exclusion.is_empty()).then_some(exclusion),
                scope,
                ..WebCrawlerConfiguration::default()
            }),
        })
    }

    pub(super) fn confluence(&self) -> Result<ConfluenceDataSourceConfiguration, KnowledgeError> {
        const OF: &str = "dataEntityConfiguration";
        self.only("connectionConfiguration", &["secretArn", "type", "authType", "hostUrl"])?;
        let known = ["crawlPage", "crawlBlog", "crawlPageAttachment", "crawlBlogAttachment", "crawlPersonalSpace"];
        self.only(OF, &known)?;
        self.only("filterConfiguration", &["inclusionSpaceKeys", "maxFileSizeInMegaBytes"])?;
        let auth = match self.connection("authType")? {
            // With access control lists, unless it says otherwise (user guide).
            "BASIC" if self.told["aclEnabled"] != false => {
                return broken(
                    "connectorParameters.aclEnabled must be false: it is true where authType is BASIC and it is left out, \
                     and document-level access control is not implemented",
                );
            }
            "BASIC" => ConfluenceAuthType::Basic,
            "OAUTH2" => ConfluenceAuthType::Oauth2ClientCredentials,
            other => return Err(self.not_built(&format!("authType {other}"))),
        };
        let (page, blog) = (self.flag(OF, "crawlPage", true)?, self.flag(OF, "crawlBlog", true)?);
        let attached = (self.flag(OF, "crawlPageAttachment", true)?, self.flag(OF, "crawlBlogAttachment", true)?);
        // What belongs to a page or post that is not read is not read either.
        let attachments = match attached {
            (on_pages, on_posts) if on_pages == on_posts => on_pages,
            (on_pages, _) if !blog => on_pages,
            (_, on_posts) if !page => on_posts,
            _ => return Err(self.not_built("difference of crawlPageAttachment and crawlBlogAttachment")),
        };
        let mut filters = Vec::new();
        for (object, read) in [("Page", page), ("Blog", blog), ("Attachment", attachments), ("Comment", false)] {
            filters.extend((!read).then(|| without(object, ALL)));
        }
        let keys = self.list("filterConfiguration", "inclusionSpaceKeys")?;
        let personal = self.flag(OF, "crawlPersonalSpace", false)?;
        let keys: Vec<_> = keys.iter().map(|key| format!("^{}$", regex::escape(key))).collect();
        filters.push(PatternObjectFilter {
            object_type: "Space".to_owned(),
            inclusion_filters: (!keys.is_empty()).then_some(keys),
            // A personal space's key begins so.
            exclusion_filters: (!personal).then(|| vec!["^~".to_owned()]),
        });
        Ok(ConfluenceDataSourceConfiguration {
            source_configuration: ConfluenceSourceConfiguration {
                host_url: self.connection("hostUrl")?.to_owned(),
                host_type: ConfluenceHostType::Saas,
                auth_type: auth,
                credentials_secret_arn: self.connection("secretArn")?.to_owned(),
            },
            crawler_configuration: Some(ConfluenceCrawlerConfiguration { filter_configuration: Some(of(filters)) }),
        })
    }

    pub(super) fn share_point(&self) -> Result<SharePointDataSourceConfiguration, KnowledgeError> {
        const OF: &str = "dataEntityConfiguration";
        self.only("connectionConfiguration", &["secretArn", "tenantId", "authType"])?;
        self.only(OF, &["siteUrls", "crawlFiles", "crawlPages"])?;
        self.only("filterConfiguration", &["maxFileSizeInMegaBytes"])?;
        let auth = self.connection("authType")?;
        if auth != "OAUTH2_APP" {
            return Err(self.not_built(&format!("authType {auth} (use OAUTH2_APP)")));
        }
        let sites = self.list(OF, "siteUrls")?;
        let domain = sites.first().and_then(|site| url::Url::parse(site).ok());
        let Some(domain) = domain.and_then(|site| site.host_str().map(str::to_owned)) else {
            return broken("connectorParameters.dataEntityConfiguration.siteUrls must name at least one https:// URL");
        };
        let mut filters = vec![without("Event", ALL)];
        for (object, name) in [("File", "crawlFiles"), ("Page", "crawlPages")] {
            filters.extend((!self.flag(OF, name, true)?).then(|| without(object, ALL)));
        }
        Ok(SharePointDataSourceConfiguration {
            source_configuration: SharePointSourceConfiguration {
                tenant_id: Some(self.connection("tenantId")?.to_owned()),
                domain,
                site_urls: sites,
                host_type: SharePointHostType::Online,
                auth_type: SharePointAuthType::Oauth2ClientCredentials,
                credentials_secret_arn: self.connection("secretArn")?.to_owned(),
            },
            crawler_configuration: Some(SharePointCrawlerConfiguration { filter_configuration: Some(of(filters)) }),
        })
    }

    pub(super) fn salesforce(&self, objects: &[&str]) -> Result<SalesforceDataSourceConfiguration, KnowledgeError> {
        const OF: &str = "dataEntityConfiguration";
        self.only("connectionConfiguration", &["secretArn", "authType", "hostUrl"])?;
        self.only(OF, &["crawlKnowledgeArticles", "crawlDocuments"])?;
        self.only("filterConfiguration", &["maxFileSizeInMegaBytes"])?;
        let auth = self.connection("authType")?;
        if auth != "OAUTH2" {
            return Err(self.not_built(&format!("authType {auth}")));
        }
        let articles = self.flag(OF, "crawlKnowledgeArticles", true)?;
        let documents = self.flag(OF, "crawlDocuments", true)?;
        let read = |object: &str| match object {
            "Knowledge__kav" => articles,
            "Document" => documents,
            _ => false,
        };
        let filters = objects.iter().filter(|object| !read(object)).map(|object| without(object, ALL)).collect();
        Ok(SalesforceDataSourceConfiguration {
            source_configuration: SalesforceSourceConfiguration {
                host_url: self.connection("hostUrl")?.to_owned(),
                auth_type: SalesforceAuthType::Oauth2ClientCredentials,
                credentials_secret_arn: self.connection("secretArn")?.to_owned(),
            },
            crawler_configuration: Some(SalesforceCrawlerConfiguration { filter_configuration: Some(of(filters)) }),
        })
    }
}

/// Leaves out the objects of a type whose names are like this.
fn without(object: &str, names: &str) -> PatternObjectFilter {
    PatternObjectFilter {
        object_type: object.to_owned(),
        inclusion_filters: None,
        exclusion_filters: Some(vec![names.to_owned()]),
    }
}

fn of(filters: Vec<PatternObjectFilter>) -> CrawlFilterConfiguration {
    CrawlFilterConfiguration {
        r#type: CrawlFilterConfigurationType::Pattern,
        pattern_object_filter: Some(PatternObjectFilterConfiguration { filters }),
    }
}
