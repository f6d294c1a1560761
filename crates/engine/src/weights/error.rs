//! What can go wrong with model files, each with what to do next.

use std::path::{Path, PathBuf};

use outcrop_api::{AwsError, Kind};

use super::remote::RemoteError;

/// An error about model files. `Display` is for the person at the terminal and for the log: it may name paths.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// There is no home to keep a cache in.
    #[error(
        "no folder for models: neither OUTCROP_MODELS, XDG_CACHE_HOME nor HOME is set; set OUTCROP_MODELS to a folder"
    )]
    NoHome,
    /// Nothing is called that.
    #[error("there is no model '{name}'; `outcrop models list` shows {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that exist, joined.
        known: String,
    },
    /// A known model whose files are not here.
    #[error("the model '{name}' is not in {}; run `outcrop models pull {name}`", .root.display())]
    NotPulled {
        /// The model.
        name: String,
        /// Where its folder would be.
        root: PathBuf,
    },
    /// A file is not what was recorded.
    #[error("the model '{name}' is damaged: {why}; run `outcrop models rm {name}`, then pull or add it again")]
    Damaged {
        /// The model.
        name: String,
        /// The file and what is wrong with it.
        why: String,
    },
    /// The interpreter did not start.
    #[error(
        "cannot start '{python}' to fetch model files: {source}; install Python 3 with pip, or set OUTCROP_PYTHON to an interpreter"
    )]
    Python {
        /// The interpreter that was tried.
        python: String,
        /// Why it did not start.
        source: std::io::Error,
    },
    /// The package client failed.
    #[error("`{python} -m pip download {requirement}` failed: {reason}; {advice}")]
    Pip {
        /// The interpreter.
        python: String,
        /// What was asked of it.
        requirement: String,
        /// Its last line.
        reason: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The wheel is not what the catalogue describes.
    #[error(
        "the package {requirement} is not the one Outcrop knows: {why}; check the package index that pip is set up with"
    )]
    Wheel {
        /// The package and version.
        requirement: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name that cannot be a folder.
    #[error("'{0}' cannot name a model: use 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit")]
    Name(String),
    /// The name is taken.
    #[error("there is a model '{0}' already; choose another name or run `outcrop models rm {0}`")]
    Taken(String),
    /// Not a GGUF file that the engine can run.
    #[error("{} cannot be added: {why}", .path.display())]
    Gguf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file from elsewhere that did not come.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The file system said no.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// The verb.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl WeightsError {
    pub(super) fn io(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }
}

impl AwsError for WeightsError {
    fn kind(&self) -> Kind {
        Kind::ServiceUnavailable
    }
    fn message(&self) -> String {
        match self {
            Self::NotPulled { name, .. } => format!("The weights of the model {name} are not on this server."),
            Self::Damaged { name, .. } => format!("The weights of the model {name} on this server are damaged."),
            _ => "The model's weights are not available on this server.".to_owned(),
        }
    }
}
