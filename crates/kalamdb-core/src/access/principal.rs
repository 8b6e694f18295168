//! Who asks: a user or the application, and what its role lets it do.

use super::policy::{Action, Target, allowed, least};
use super::role::Role;
use crate::error::{Error, ErrorKind, Result};

/// On whose behalf statements run: it selects the partition of every user table that they touch.
///
/// It comes from the session, never from SQL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    user: Option<String>,
    role: Role,
}

/// The longest user id, in bytes: it is a part of every stored record's header.
const MAX_USER_BYTES: usize = 65_536;

impl Principal {
    /// The application itself. Its rows of user tables are its own, apart from those of every user, whatever their ids.
    pub const fn system() -> Self {
        Self { user: None, role: Role::System }
    }

    /// The user with this id, which may be any text.
    ///
    /// # Errors
    /// `invalid_parameter_value` if the id is longer than 64 KiB.
    pub fn user(id: &str, role: Role) -> Result<Self> {
        if id.len() > MAX_USER_BYTES {
            let message = format!("the user id has {} bytes; at most {MAX_USER_BYTES} are taken", id.len());
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
        Ok(Self { user: Some(id.to_owned()), role })
    }

    /// The user's id; `None` for the application itself.
    pub fn user_id(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the role may do this.
    pub(crate) fn may(&self, action: Action, target: Target) -> bool {
        allowed(self.role, action, target)
    }

    /// Refuses what the role may not do; `what` names it in the message.
    pub(crate) fn require(&self, action: Action, target: Target, what: impl FnOnce() -> String) -> Result<()> {
        if self.may(action, target) {
            return Ok(());
        }
        let message = format!("{} is not allowed to the role {}", what(), self.role.name());
        let error = Error::new(ErrorKind::InsufficientPrivilege, message);
        Err(match least(action, target) {
            Some(least) => error.with_hint(format!("it takes the role {} or one above it", least.name())),
            None => error,
        })
    }
}
