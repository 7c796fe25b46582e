//! The switch of Swagger UI.

/// The setting `SWAGGER_UI`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SwaggerUi {
    On,
    Off,
}

impl SwaggerUi {
    /// Parses the value, also in the words of other programs.
    pub(crate) fn parse(text: &str) -> Result<SwaggerUi, String> {
        match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Ok(SwaggerUi::On),
            "off" | "false" | "no" | "0" => Ok(SwaggerUi::Off),
            _ => Err("on or off".to_owned()),
        }
    }
}
