//! A calculator for the terminal: reads one expression per line, e.g. `2 * (3 + 4) - 1`.

use std::io::{self, BufRead, Write};
use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    Number(f64),
    Op(char),
    Open,
    Close,
}

fn tokenize(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            ' ' | '\t' => {
                chars.next();
            }
            '0'..='9' | '.' => tokens.push(Token::Number(read_number(&mut chars)?)),
            '+' | '-' | '*' | '/' | '^' => {
                chars.next();
                tokens.push(Token::Op(c));
            }
            '(' => {
                chars.next();
                tokens.push(Token::Open);
            }
            ')' => {
                chars.next();
                tokens.push(Token::Close);
            }
            other => return Err(format!("unexpected character '{other}'")),
        }
    }
    Ok(tokens)
}

fn read_number(chars: &mut Peekable<Chars>) -> Result<f64, String> {
    let mut digits = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || *c == '.') {
        digits.push(c);
    }
    digits.parse().map_err(|_| format!("bad number '{digits}'"))
}

struct Parser {
    tokens: Vec<Token>,
    pos: usize,
}

impl Parser {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.pos).copied()
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek();
        self.pos += 1;
        token
    }

    // precedence climbing: each level only takes operators that bind at least as tightly
    fn expression(&mut self, min: u8) -> Result<f64, String> {
        let mut left = self.atom()?;
        while let Some(Token::Op(op)) = self.peek() {
            let (precedence, right_assoc) = match op {
                '+' | '-' => (1, false),
                '*' | '/' => (2, false),
                _ => (3, true),
            };
            if precedence < min {
                break;
            }
            self.next();
            let right = self.expression(if right_assoc { precedence } else { precedence + 1 })?;
            left = match op {
                '+' => left + right,
                '-' => left - right,
                '*' => left * right,
                '/' if right == 0.0 => return Err("division by zero".into()),
                '/' => left / right,
                _ => left.powf(right),
            };
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<f64, String> {
        match self.next() {
            Some(Token::Number(value)) => Ok(value),
            Some(Token::Op('-')) => Ok(-self.expression(3)?),
            Some(Token::Open) => {
                let value = self.expression(1)?;
                match self.next() {
                    Some(Token::Close) => Ok(value),
                    _ => Err("missing ')'".into()),
                }
            }
            other => Err(format!("unexpected {other:?}")),
        }
    }
}

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let result = tokenize(&line?).and_then(|tokens| Parser { tokens, pos: 0 }.expression(1));
        match result {
            Ok(value) => println!("= {value}"),
            Err(message) => eprintln!("error: {message}"),
        }
        io::stdout().flush()?;
    }
    Ok(())
}
