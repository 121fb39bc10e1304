//! The `authorization` header: `Basic base64("<name>:<password>")`.
//! Browsers can't set headers on a socket, so it comes as a header of an inner request.

use base64::Engine as _;

use crate::body::BASE64;
use crate::{AccountId, DecodeError, DeviceAddress, DeviceId};

/// Name and password of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    /// `<aci>` or `<aci>.<device>`; anything at all in `PUT /v1/devices/link`.
    pub name: String,
    /// Chosen by the device.
    pub password: String,
}

impl Basic {
    /// The credentials of a device.
    #[must_use]
    pub fn device(address: DeviceAddress, password: &str) -> Self {
        Self {
            name: address.to_string(),
            password: password.to_owned(),
        }
    }

    /// Parses a header value.
    ///
    /// # Errors
    /// Not the Basic scheme, not base64, no colon.
    pub fn parse(header: &str) -> Result<Self, DecodeError> {
        let invalid = DecodeError::Invalid {
            field: "authorization",
        };
        let (scheme, value) = header.split_once(' ').ok_or(invalid)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(invalid);
        }
        let bytes = BASE64.decode(value.trim()).map_err(|_| invalid)?;
        let text = String::from_utf8(bytes).map_err(|_| invalid)?;
        let (name, password) = text.split_once(':').ok_or(invalid)?;
        Ok(Self {
            name: name.to_owned(),
            password: password.to_owned(),
        })
    }

    /// The device this names; the name without a device means the primary, as Signal has it.
    ///
    /// # Errors
    /// The name is not an account id with or without a device id.
    pub fn address(&self) -> Result<DeviceAddress, DecodeError> {
        let (account, device) = match self.name.split_once('.') {
            Some((account, device)) => (account, device.parse()?),
            None => (self.name.as_str(), DeviceId::PRIMARY),
        };
        Ok(DeviceAddress {
            account: account.parse::<AccountId>()?,
            device,
        })
    }

    /// The header value.
    #[must_use]
    pub fn header(&self) -> String {
        format!(
            "Basic {}",
            BASE64.encode(format!("{}:{}", self.name, self.password))
        )
    }
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, password: _ } = self;
        write!(f, "Basic({name})")
    }
}
