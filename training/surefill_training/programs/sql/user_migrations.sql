-- 001: accounts
BEGIN TRANSACTION;

CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY,
    username VARCHAR(50) NOT NULL UNIQUE,
    email VARCHAR(255) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO schema_version (version) VALUES (1);

COMMIT;

-- 002: roles and permissions
BEGIN TRANSACTION;

CREATE TABLE roles (
    id INTEGER PRIMARY KEY,
    name VARCHAR(30) NOT NULL UNIQUE,
    description TEXT
);

CREATE TABLE user_roles (
    user_id INTEGER NOT NULL,
    role_id INTEGER NOT NULL,
    granted_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (user_id, role_id),
    FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE
);

INSERT INTO roles (name, description) VALUES
    ('admin', 'May do everything'),
    ('editor', 'May publish and change articles'),
    ('reader', 'May read and comment');

-- Everybody who is already there becomes a reader.
INSERT INTO user_roles (user_id, role_id)
SELECT u.id, r.id
FROM users u
CROSS JOIN roles r
WHERE r.name = 'reader';

INSERT INTO schema_version (version) VALUES (2);

COMMIT;

-- 003: soft delete, last login
BEGIN TRANSACTION;

ALTER TABLE users ADD COLUMN deleted_at TIMESTAMP;
ALTER TABLE users ADD COLUMN last_login_at TIMESTAMP;
ALTER TABLE users ADD COLUMN locale VARCHAR(5) NOT NULL DEFAULT 'en';

CREATE UNIQUE INDEX idx_users_email ON users (email);
CREATE INDEX idx_users_deleted ON users (deleted_at);

UPDATE users
SET email = LOWER(email)
WHERE email <> LOWER(email);

CREATE VIEW active_users AS
SELECT id, username, email, locale, last_login_at
FROM users
WHERE deleted_at IS NULL;

INSERT INTO schema_version (version) VALUES (3);

COMMIT;

-- 004: sessions move out of the cookie
BEGIN TRANSACTION;

CREATE TABLE sessions (
    token CHAR(64) PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    ip_address VARCHAR(45),
    expires_at TIMESTAMP NOT NULL
);

CREATE INDEX idx_sessions_user ON sessions (user_id);

DROP TABLE IF EXISTS remember_tokens;

DELETE FROM sessions WHERE expires_at < CURRENT_TIMESTAMP;

INSERT INTO schema_version (version) VALUES (4);

COMMIT;

SELECT MAX(version) AS current_version FROM schema_version;
