//! Who asks: a user or the application, and the role that says what may be done.

use crate::error::{Error, ErrorKind, Result};

/// What a session may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A user of the application: reads and writes rows, and changes no definitions.
    User,
    /// A part of the application that works for its users.
    Service,
    /// Administers the database.
    Dba,
    /// The application itself.
    System,
}

impl Role {
    /// The role's name in SQL and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Service => "service",
            Role::Dba => "dba",
            Role::System => "system",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Role::User, Role::Service, Role::Dba, Role::System].into_iter().find(|role| role.name() == name)
    }
}

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

    /// Refuses `what` to roles below `least`.
    pub(crate) fn require(&self, least: Role, what: &str) -> Result<()> {
        if self.role >= least {
            return Ok(());
        }
        let message = format!("{what} is not allowed to the role {}", self.role.name());
        Err(Error::new(ErrorKind::InsufficientPrivilege, message)
            .with_hint(format!("it takes the role {} or one above it", least.name())))
    }
}
