//! The files of Swagger UI.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::web::Bytes;
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::static_file::StaticFile;

/// The files that its page loads. The distribution has other builds of the same, for other programs.
const FILES: [&str; 10] = [
    "index.html",
    "index.css",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
    "oauth2-redirect.html",
    "oauth2-redirect.js",
];

/// Swagger UI for one document.
#[derive(Debug)]
pub(super) struct SwaggerFiles(BTreeMap<&'static str, StaticFile>);

impl SwaggerFiles {
    /// Reads the files, which are part of the program. `document` is the path of the document.
    pub(super) fn load(document: &'static str) -> SwaggerFiles {
        let config = Arc::new(Config::from(document));
        let file = |name| Some((name, static_file(name, &config)?));
        SwaggerFiles(FILES.into_iter().filter_map(file).collect())
    }

    /// The file at a path below that of Swagger UI.
    pub(super) fn get(&self, path: &str) -> Option<&StaticFile> {
        self.0.get(if path.is_empty() { "index.html" } else { path })
    }
}

fn static_file(name: &str, config: &Arc<Config<'static>>) -> Option<StaticFile> {
    match utoipa_swagger_ui::serve(name, config.clone()) {
        Ok(found) => found.map(from_dist),
        Err(error) => {
            log::error!("Swagger UI has no {name}: {error}");
            None
        }
    }
}

fn from_dist(file: SwaggerFile<'static>) -> StaticFile {
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    match file.gzpipped {
        true => StaticFile::compressed(file.content_type, bytes),
        false => StaticFile::plain(file.content_type, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_there() {
        let files = SwaggerFiles::load("/document.json");
        for name in FILES {
            assert!(files.get(name).is_some(), "{name}");
        }
        assert!(files.get("").is_some());
        assert!(files.get("nowhere.js").is_none());
    }
}
