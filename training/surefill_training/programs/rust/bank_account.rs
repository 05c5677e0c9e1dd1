use std::collections::HashMap;
use std::fmt;

/// An amount of money in cents.
pub type Cents = i64;

#[derive(Debug, PartialEq)]
pub enum BankError {
    UnknownAccount(u32),
    InsufficientFunds { needed: Cents, available: Cents },
    InvalidAmount(Cents),
}

impl fmt::Display for BankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BankError::UnknownAccount(id) => write!(f, "there is no account {}", id),
            BankError::InsufficientFunds { needed, available } => {
                write!(f, "{} cents needed, only {} available", needed, available)
            }
            BankError::InvalidAmount(amount) => write!(f, "invalid amount: {}", amount),
        }
    }
}

impl std::error::Error for BankError {}

#[derive(Debug, Clone)]
pub struct Account {
    pub id: u32,
    pub owner: String,
    balance: Cents,
}

impl Account {
    pub fn balance(&self) -> Cents {
        self.balance
    }

    fn deposit(&mut self, amount: Cents) -> Result<(), BankError> {
        if amount <= 0 {
            return Err(BankError::InvalidAmount(amount));
        }
        self.balance += amount;
        Ok(())
    }

    fn withdraw(&mut self, amount: Cents) -> Result<(), BankError> {
        if amount <= 0 {
            return Err(BankError::InvalidAmount(amount));
        }
        if amount > self.balance {
            return Err(BankError::InsufficientFunds {
                needed: amount,
                available: self.balance,
            });
        }
        self.balance -= amount;
        Ok(())
    }
}

#[derive(Default)]
pub struct Bank {
    accounts: HashMap<u32, Account>,
    next_id: u32,
}

impl Bank {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn open(&mut self, owner: &str) -> u32 {
        self.next_id += 1;
        let account = Account {
            id: self.next_id,
            owner: owner.to_string(),
            balance: 0,
        };
        self.accounts.insert(account.id, account);
        self.next_id
    }

    pub fn account_mut(&mut self, id: u32) -> Result<&mut Account, BankError> {
        self.accounts.get_mut(&id).ok_or(BankError::UnknownAccount(id))
    }

    /// Moves money from one account to another; nothing changes if it fails.
    pub fn transfer(&mut self, from: u32, to: u32, amount: Cents) -> Result<(), BankError> {
        if !self.accounts.contains_key(&to) {
            return Err(BankError::UnknownAccount(to));
        }
        self.account_mut(from)?.withdraw(amount)?;
        self.account_mut(to)?.deposit(amount)
    }

    pub fn total(&self) -> Cents {
        self.accounts.values().map(|account| account.balance).sum()
    }
}

fn main() -> Result<(), BankError> {
    let mut bank = Bank::new();
    let alice = bank.open("Alice");
    let bob = bank.open("Bob");
    bank.account_mut(alice)?.deposit(10_000)?;
    bank.transfer(alice, bob, 2_500)?;
    if let Err(error) = bank.transfer(bob, alice, 9_999) {
        println!("transfer failed: {}", error);
    }
    println!("Bob has {} cents of {}", bank.account_mut(bob)?.balance(), bank.total());
    Ok(())
}
