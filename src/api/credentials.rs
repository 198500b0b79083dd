//! What the service knows us by. Nothing here prints a secret.

use super::Endpoint;
use super::failure::Cause;
use super::redaction::is_ordinary;
use secrecy::{ExposeSecret, SecretString};

/// One of the ways to be known to the service.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A token that somebody else fetched and will renew.
    Token(SecretString),
    /// A pair of keys, with which each request is signed.
    Keys {
        /// The key's name, sent with each request.
        access_key: String,
        /// The key itself, never sent.
        secret_key: SecretString,
        /// Sent and signed with temporary keys.
        security_token: Option<SecretString>,
    },
    /// A password, exchanged for tokens that last 24 hours.
    Password(PasswordLogin),
    /// The agency that this cloud server acts for, by where the server's metadata is: it gives out
    /// keys that last for some hours.
    Agency(Endpoint),
    /// None, and why: whoever has them asks nothing. A run with others goes on without this one.
    Unusable(Cause),
}

/// A user of IAM with a password (OpenStack Keystone's v3 protocol).
#[derive(Clone, Debug)]
pub struct PasswordLogin {
    /// Where tokens are given out, with or without `/v3` at its end.
    pub auth_url: Endpoint,
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: SecretString,
    /// The domain (the account) that the user belongs to.
    pub user_domain_name: String,
    /// What the token shall be good for.
    pub project: ProjectScope,
}

/// How the project of a token is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectScope {
    /// By its id.
    Id(String),
    /// By its name, usually the region's.
    Name {
        /// The project's name.
        name: String,
        /// The domain it belongs to, where that is not the user's own.
        domain: Option<String>,
    },
}

impl Credentials {
    /// The parts of them that must never be shown.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Token(token) => vec![token.clone()],
            Self::Keys { secret_key, security_token, .. } => {
                [Some(secret_key), security_token.as_ref()].into_iter().flatten().cloned().collect()
            }
            Self::Password(login) => vec![login.password.clone()],
            Self::Agency(_) | Self::Unusable(_) => Vec::new(),
        }
    }

    /// Which of their secrets cannot be told from ordinary text: they are covered in words only,
    /// and not at all where they are shortest.
    pub fn ordinary_secrets(&self) -> Vec<&'static str> {
        let named = match self {
            Self::Token(token) => vec![("the token", Some(token))],
            Self::Keys { secret_key, security_token, .. } => {
                vec![
                    ("the secret key", Some(secret_key)),
                    ("the security token", security_token.as_ref()),
                ]
            }
            Self::Password(login) => vec![("the password", Some(&login.password))],
            Self::Agency(_) | Self::Unusable(_) => Vec::new(),
        };
        let is_ordinary = |secret: &SecretString| is_ordinary(secret.expose_secret());
        named
            .into_iter()
            .filter(|(_, secret)| secret.is_some_and(is_ordinary))
            .map(|(name, _)| name)
            .collect()
    }

    /// The same, to ask about one project. A token that a password is exchanged for is good for
    /// one project only, so that each has its own; anything else is good for all.
    #[must_use]
    pub fn of_project(&self, project_id: Option<&str>) -> Self {
        match (self, project_id) {
            (Self::Password(login), Some(id)) => Self::Password(PasswordLogin {
                project: ProjectScope::Id(id.to_owned()),
                ..login.clone()
            }),
            _ => self.clone(),
        }
    }

    /// Whether both are the same user's, with the same secret; the project of a login is no part of
    /// it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let names = |credentials: &Self| match credentials {
            Self::Keys { access_key, .. } => vec![access_key.clone()],
            Self::Password(PasswordLogin { auth_url, username, user_domain_name, .. }) => {
                vec![auth_url.to_string(), username.clone(), user_domain_name.clone()]
            }
            Self::Agency(metadata) => vec![metadata.to_string()],
            Self::Token(_) | Self::Unusable(_) => Vec::new(),
        };
        let (mine, others) = (self.secrets(), other.secrets());
        let are_same_secrets = mine.len() == others.len()
            && mine.iter().zip(&others).all(|(a, b)| a.expose_secret() == b.expose_secret());
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && names(self) == names(other)
            && are_same_secrets
    }

    /// Whether requests carry a token rather than a signature.
    pub(super) fn use_token(&self) -> bool {
        !matches!(self, Self::Keys { .. } | Self::Agency(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretString {
        SecretString::from("hunter2")
    }

    fn login() -> PasswordLogin {
        PasswordLogin {
            auth_url: Endpoint::parse("https://iam.example", super::super::PlainHttp::LoopbackOnly)
                .unwrap(),
            username: "u".to_owned(),
            password: secret(),
            user_domain_name: "d".to_owned(),
            project: ProjectScope::Name { name: "cn-north-4".to_owned(), domain: None },
        }
    }

    #[test]
    fn a_login_is_for_the_project_that_is_asked() {
        let scope = |project_id| match Credentials::Password(login()).of_project(project_id) {
            Credentials::Password(login) => login.project,
            other => panic!("{other:?}"),
        };
        assert_eq!(scope(Some("p")), ProjectScope::Id("p".to_owned()));
        assert_eq!(scope(None), login().project);
        let token = Credentials::Token(secret()).of_project(Some("p"));
        assert!(matches!(token, Credentials::Token(_)));
    }

    #[test]
    fn the_same_credentials_are_known_whatever_project_they_are_for() {
        let password = Credentials::Password(login());
        assert!(password.is_same(&password.of_project(Some("p"))));
        let other = PasswordLogin { password: SecretString::from("other"), ..login() };
        assert!(!password.is_same(&Credentials::Password(other)));
        let other = PasswordLogin { username: "v".to_owned(), ..login() };
        assert!(!password.is_same(&Credentials::Password(other)));
        let keys = |token: Option<SecretString>| Credentials::Keys {
            access_key: "AK".into(),
            secret_key: secret(),
            security_token: token,
        };
        assert!(keys(None).is_same(&keys(None)) && !keys(None).is_same(&keys(Some(secret()))));
        assert!(!Credentials::Token(secret()).is_same(&keys(None)));
    }

    #[test]
    fn debug_shows_no_secret() {
        let login = login();
        let keys = Credentials::Keys {
            access_key: "AK".into(),
            secret_key: secret(),
            security_token: Some(secret()),
        };
        for credentials in [Credentials::Token(secret()), keys, Credentials::Password(login)] {
            assert!(!format!("{credentials:#?}").contains("hunter2"));
        }
    }
}
