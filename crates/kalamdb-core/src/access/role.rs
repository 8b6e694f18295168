//! The roles, from the one that may do the least to the one that may do everything.

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
    /// Every role, each after those that may do less.
    pub const ALL: [Self; 4] = [Role::User, Role::Service, Role::Dba, Role::System];

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
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
