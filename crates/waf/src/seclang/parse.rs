//! Turns directives into statements. Whatever is not understood is a mistake with its line.
//! Exports `statements`.
//! Used by `compile`.
//! Start reading at `statements`.

use super::actions;
use super::ast::{OperatorSource, RuleSource, Statement};
use super::lexer::{self, Directive};
use super::operator::OperatorName;
use super::selection::{id_range, targets};
use crate::settings::LoadError;

/// The statements of one file, or every mistake in it.
pub(super) fn statements(file: &str, text: &[u8]) -> Result<Vec<Statement>, Vec<LoadError>> {
    let directives = lexer::directives(file, text).map_err(|error| vec![error])?;
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for directive in &directives {
        match statement(directive) {
            Ok(statement) => found.extend(statement),
            Err(message) => errors.push(LoadError {
                file: file.to_owned(),
                line: directive.line,
                message,
                help: "Only what the Core Rule Set version 4 uses is understood; remove or rewrite the directive."
                    .to_owned(),
            }),
        }
    }
    if errors.is_empty() {
        Ok(found)
    } else {
        Err(errors)
    }
}

fn statement(directive: &Directive) -> Result<Option<Statement>, String> {
    let words: Vec<&str> = directive.words.iter().map(String::as_str).collect();
    let statement = match words.as_slice() {
        ["SecRule", targets_text, operator_text] => {
            rule(directive.line, targets_text, operator_text, "")?
        }
        ["SecRule", targets_text, operator_text, actions_text] => {
            rule(directive.line, targets_text, operator_text, actions_text)?
        }
        ["SecAction", actions_text] => Statement::Rule(RuleSource {
            line: directive.line,
            targets: Vec::new(),
            operator: None,
            actions: actions::parse(actions_text)?,
        }),
        ["SecMarker", name] => Statement::Marker((*name).to_owned()),
        ["SecComponentSignature", name] => Statement::Signature((*name).to_owned()),
        ["SecDefaultAction", actions_text] => {
            Statement::DefaultAction(actions::parse(actions_text)?)
        }
        ["SecRuleUpdateTargetById", ids, targets_text] => Statement::UpdateTarget {
            ids: id_range(ids)?,
            targets: targets(targets_text)?,
        },
        ["SecRuleRemoveById", ids] => Statement::RemoveById(id_range(ids)?),
        ["SecRuleRemoveByTag", tag] => Statement::RemoveByTag((*tag).to_owned()),
        // Persistent collections hold nothing here, so their timeout means nothing.
        ["SecCollectionTimeout", _] => return Ok(None),
        [name, ..] => {
            return Err(format!(
                "the directive {name} with {} words is not understood",
                words.len() - 1
            ));
        }
        [] => return Ok(None),
    };
    Ok(Some(statement))
}

fn rule(
    line: u32,
    targets_text: &str,
    operator_text: &str,
    actions_text: &str,
) -> Result<Statement, String> {
    Ok(Statement::Rule(RuleSource {
        line,
        targets: targets(targets_text)?,
        operator: Some(operator(operator_text)?),
        actions: actions::parse(actions_text)?,
    }))
}

fn operator(text: &str) -> Result<OperatorSource, String> {
    let text = text.trim_start();
    let (negated, text) = text
        .strip_prefix('!')
        .map_or((false, text), |rest| (true, rest));
    let Some(rest) = text.strip_prefix('@') else {
        return Ok(OperatorSource {
            negated,
            name: OperatorName::Rx,
            argument: text.to_owned(),
        });
    };
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let Some(name) = OperatorName::named(name) else {
        return Err(format!("the operator @{name} is not understood"));
    };
    Ok(OperatorSource {
        negated,
        name,
        argument: argument.to_owned(),
    })
}
