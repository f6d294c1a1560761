//! `outcrop kb`, as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use outcrop_knowledge::schedule::Schedule;

/// The pages of a site, where nobody says how many.
const MAX_PAGES: u32 = 1000;
/// The pages a minute, where nobody says how many.
const RATE: u32 = 300;

/// Knowledge bases.
#[derive(Subcommand)]
pub enum Kb {
    /// Makes a knowledge base of documents, or brings one up to date
    ///
    /// A folder's documents are copied into a bucket of the server (what has not
    /// changed is not sent again, what is gone is deleted there), and the knowledge
    /// base reads them from it. s3://BUCKET/PREFIX is read where it is. Only new and
    /// changed documents are read and embedded.
    ///
    /// A URL is crawled: its page, and what it links to at or below its path (--scope
    /// widens that, --depth, --include and --exclude narrow it), as robots.txt allows
    /// and no faster than --rate. Linked PDF and Office files are read, too.
    ///
    /// Without a running server, one is started for the time of the command, on
    /// the data folder that `outcrop dev` uses.
    ///
    /// Examples:
    ///   outcrop kb add ./docs
    ///   outcrop kb add s3://handbooks/2026/ --name handbooks
    ///   outcrop kb add ./docs --chunking semantic --max-tokens 300
    ///   outcrop kb add s3://handbooks/2026/ --every 1h
    ///   outcrop kb add https://docs.example.com/guide/ --depth 2
    ///   outcrop kb add https://www.example.com --scope host --exclude '/(de|fr)/'
    #[command(verbatim_doc_comment)]
    Add {
        /// What to add
        #[command(flatten)]
        add: Add,
        /// Syncs the knowledge base again so long after each time: 90s, 15m, 1h, 2d, or never. A bucket's only: a folder
        /// is kept by `outcrop kb watch`
        #[arg(long, value_name = "TIME")]
        every: Option<String>,
        // The last: its heading holds for all that follows.
        /// How a URL is crawled
        #[command(flatten)]
        crawl: Crawl,
    },
    /// Asks a question; the answer streams, then its sources follow, numbered
    ///
    /// Examples:
    ///   outcrop kb ask "How do I restart the indexer?"
    ///   outcrop kb ask "Who is on call?" --kb handbooks \
    ///     --model anthropic.claude-3-haiku-20240307-v1:0
    #[command(verbatim_doc_comment)]
    Ask(Ask),
    /// Lists the passages that fit a question best, with their scores
    Search(Search),
    /// Lists knowledge bases, or shows one: its sources, its last jobs and what failed
    Show {
        /// Its name or id [default: all of them]
        kb: Option<String>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
        /// Where
        #[command(flatten)]
        place: Place,
    },
    /// Keeps a knowledge base like a folder: looks for changes, and syncs when there are any
    Watch {
        /// What to add
        #[command(flatten)]
        add: Add,
        /// How long to wait between two looks at the folder: 2s, 1m, 1h; a number alone is seconds
        #[arg(long, value_name = "TIME", default_value = "2s", value_parser = every)]
        every: Duration,
    },
    /// Measures it on your questions, and names the cheapest setting that will do
    ///
    /// A line of FILE is JSON: {"question": "...", "documents": ["oncall.md"],
    /// "answer": "Wednesday"}; documents (the end of their URI is enough), answer or
    /// both. Every combination of the options is tried, one question after the
    /// other. With --chunking the documents are ingested once more for each, in a
    /// knowledge base that is deleted afterwards. Dollars are what the account spent
    /// meanwhile: let nobody else use it.
    ///
    /// Examples:
    ///   outcrop kb eval questions.jsonl --results 3,5,10 --mode hybrid,semantic
    ///   outcrop kb eval questions.jsonl --chunking fixed:300:20,semantic:300:95 \
    ///     --model amazon.nova-lite-v1:0,outcrop.smollm2-135m-instruct \
    ///     --svg quality.svg
    #[command(verbatim_doc_comment)]
    Eval(Eval),
    /// Deletes a knowledge base, its index and the bucket that `kb add` made for it
    Rm {
        /// Its name or id
        kb: String,
        /// Where
        #[command(flatten)]
        place: Place,
    },
}

/// What to add, and how.
#[derive(Args, Clone)]
// The command of the same name has a group of its own.
#[group(skip)]
pub struct Add {
    /// A folder, a file, s3://BUCKET/PREFIX, or a web page to begin at
    #[arg(value_name = "FOLDER|FILE|s3://BUCKET/PREFIX|URL")]
    pub what: String,
    /// The knowledge base's name [default: the folder's, the bucket's or the host's]
    #[arg(long)]
    pub name: Option<String>,
    /// How documents are cut into chunks; what exists keeps its own [default: fixed]
    #[arg(long)]
    pub chunking: Option<Chunking>,
    /// The most tokens of a chunk [default: 300]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8192))]
    pub max_tokens: Option<u32>,
    /// How much of a chunk the next one repeats, in percent (fixed chunks) [default: 20]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=99))]
    pub overlap: Option<u32>,
    /// What makes the vectors; what exists keeps its own [default: outcrop.all-minilm-l6-v2]
    #[arg(long, value_name = "MODEL")]
    pub embedding_model: Option<String>,
    /// The role that it acts with; `outcrop dev` takes any [default: outcrop-kb of your account]
    #[arg(long, value_name = "ARN")]
    pub role: Option<String>,
    /// Where
    #[command(flatten)]
    pub place: Place,
}

/// How a URL is crawled.
#[derive(Args, Clone, PartialEq, Eq)]
#[command(next_help_heading = "Crawling a URL")]
pub struct Crawl {
    /// Which of a site's pages
    #[arg(long, default_value = "path")]
    pub scope: Scope,
    /// How many folders below the URL pages may lie; 0 for those beside it [default: any number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=50))]
    pub depth: Option<u32>,
    /// Only pages whose URL matches one of these regular expressions
    #[arg(long, value_name = "REGEX", conflicts_with = "depth")]
    pub include: Vec<String>,
    /// No pages whose URL matches one of these; wins over what includes them
    #[arg(long, value_name = "REGEX")]
    pub exclude: Vec<String>,
    /// More pages than these fail the job: nothing is read of a site that is larger than you thought
    #[arg(long, value_name = "N", default_value_t = MAX_PAGES, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    pub max_pages: u32,
    /// Pages a minute that a host is asked for; a longer pause in its robots.txt wins
    #[arg(long, value_name = "N", default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub rate: u32,
}

impl Default for Crawl {
    fn default() -> Self {
        let (include, exclude) = (Vec::new(), Vec::new());
        Self { scope: Scope::Path, depth: None, include, exclude, max_pages: MAX_PAGES, rate: RATE }
    }
}

/// Reads a time as `kb add --every` does; a number alone is seconds.
fn every(text: &str) -> Result<Duration, String> {
    let read = match text.parse::<u64>() {
        Ok(_) => Schedule::every(&format!("{text}s")),
        Err(_) => Schedule::every(text),
    };
    match read {
        Some(Schedule::Every(time)) => Ok(time),
        _ => Err("a time is a number with its unit: 2s, 15m, 1h, 2d".into()),
    }
}

/// Which of a site's pages.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// At and below the URL's path, on its host
    Path,
    /// All of its host
    Host,
    /// Its host and all others of its domain: www.example.com for docs.example.com
    Domain,
}

/// How documents are cut.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Chunking {
    /// Pieces of so many tokens, at sentence ends
    Fixed,
    /// Small pieces are searched, the larger ones around them returned
    Hierarchical,
    /// Where neighbouring sentences are least alike
    Semantic,
    /// A file is one piece
    None,
}

/// What to ask, and of whom.
#[derive(Args)]
pub struct Ask {
    /// The question
    pub question: String,
    /// Which knowledge base, and how it is searched
    #[command(flatten)]
    pub which: Which,
    /// The model that writes the answer
    #[arg(long, value_name = "MODEL", default_value = "outcrop.smollm2-135m-instruct")]
    pub model: String,
    /// Prints the whole answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to look for.
#[derive(Args)]
pub struct Search {
    /// The question or words
    pub text: String,
    /// Which knowledge base, and how it is searched
    #[command(flatten)]
    pub which: Which,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// Which knowledge base, and how it is searched.
#[derive(Args)]
pub struct Which {
    /// Its name or id [default: the only one there is]
    #[arg(long, value_name = "NAME|ID")]
    pub kb: Option<String>,
    /// How many passages
    #[arg(short = 'n', long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub results: u32,
    /// By vectors alone or by words too [default: as the server decides]
    #[arg(long)]
    pub mode: Option<Mode>,
    /// Only where this holds: a retrieval filter as JSON, {"equals": {"key": "team", "value": "search"}}
    #[arg(long, value_name = "JSON")]
    pub filter: Option<String>,
    /// Where
    #[command(flatten)]
    pub place: Place,
}

/// How it is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Vectors and words
    Hybrid,
    /// Vectors alone
    Semantic,
}

/// What to measure.
#[derive(Args)]
pub struct Eval {
    /// The questions, JSON lines
    pub file: PathBuf,
    /// Its name or id [default: the only one there is]
    #[arg(long, value_name = "NAME|ID")]
    pub kb: Option<String>,
    /// How many passages
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub results: Vec<u32>,
    /// How it is searched
    #[arg(long = "mode", value_name = "MODE,...", value_delimiter = ',')]
    pub modes: Vec<Mode>,
    /// Models that answer [default: passages are measured, no answers]
    #[arg(long = "model", value_name = "MODEL,...", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Models that rank passages anew; none for none
    #[arg(long, value_name = "MODEL,...", value_delimiter = ',')]
    pub rerank: Vec<String>,
    /// fixed:TOKENS:OVERLAP_PERCENT, hierarchical:PARENT:CHILD:OVERLAP, semantic:TOKENS:PERCENTILE, none
    #[arg(long = "chunking", value_name = "CHUNKING,...", value_delimiter = ',')]
    pub chunkings: Vec<String>,
    /// Draws quality over cost
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
    /// Where
    #[command(flatten)]
    pub place: Place,
}

/// Which server.
#[derive(Args, Clone)]
pub struct Place {
    /// The server [default: http://127.0.0.1:7711 if one answers there, else one for the time of this command]
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    pub url: Option<String>,
    /// The data folder of a server that this command starts
    #[arg(long, value_name = "DIR", env = "OUTCROP_DATA")]
    pub data: Option<PathBuf>,
    /// The configuration of a server that this command starts
    #[arg(long, value_name = "FILE", env = "OUTCROP_CONFIG")]
    pub config: Option<PathBuf>,
}
