//! Which recorded exchange answers a request; where none does, the nearest one and how it differs.

use std::sync::Arc;

use super::exchange::{RecordedExchange, RecordedRequest};
use super::request_match::Pin;
use super::shelf::Cassette;

/// Differences that are shown.
const SHOWN: usize = 5;
/// Exchanges whose inputs are compared in detail.
const COMPARED: usize = 3;

/// A request for a recorded exchange.
#[derive(Debug, Clone, Copy)]
pub struct CassetteQuery<'a> {
    /// The test's full name.
    pub test: &'a str,
    /// Which repeat, from 0.
    pub repeat: u32,
    /// The request, masked.
    pub asked: &'a RecordedRequest,
    /// Which version it asks for.
    pub pin: Pin,
}

/// Why no recorded exchange answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// The cassette holds nothing.
    Empty,
    /// The request was recorded, in fewer repeats.
    Repeats {
        /// Repeats recorded.
        recorded: usize,
    },
    /// Nothing like it was recorded.
    Nearest {
        /// The test of the nearest exchange.
        test: String,
        /// What differs, each in a few words.
        differs: Vec<String>,
    },
}

impl Cassette {
    /// The exchange that answers a request: the test's own of this repeat, otherwise that of another test with the same
    /// request. The choice depends only on the cassette and the request.
    pub fn find(&self, ask: CassetteQuery<'_>) -> Result<Arc<RecordedExchange>, Miss> {
        let own = self.by_test.get(ask.test).map_or(&[][..], Vec::as_slice);
        let mut same = self.same(own, ask);
        if same.is_empty() {
            let others: Vec<usize> = (0..self.exchanges.len()).collect();
            same = self.same(&others, ask);
            let first = same.first().map(|exchange| exchange.test.clone());
            same.retain(|exchange| Some(&exchange.test) == first.as_ref());
        }
        let found = same.iter().find(|exchange| exchange.repeat == ask.repeat);
        match found {
            Some(exchange) => Ok((*exchange).clone()),
            None if !same.is_empty() => Err(Miss::Repeats { recorded: same.len() }),
            None => Err(self.nearest(own, ask)),
        }
    }

    /// The exchanges of some that answer a request.
    fn same(&self, among: &[usize], ask: CassetteQuery<'_>) -> Vec<&Arc<RecordedExchange>> {
        let exchanges = among.iter().map(|at| &self.exchanges[*at]);
        exchanges.filter(|exchange| exchange.is_for(ask.asked, ask.pin)).collect()
    }

    fn nearest(&self, own: &[usize], ask: CassetteQuery<'_>) -> Miss {
        let mut near: Vec<(usize, &Arc<RecordedExchange>)> = match own {
            [] => {
                self.exchanges.iter().map(|exchange| (exchange.asked.distance(ask.asked), exchange)).collect()
            }
            own => own
                .iter()
                .map(|at| &self.exchanges[*at])
                .map(|one| (one.asked.distance(ask.asked), one))
                .collect(),
        };
        near.sort_by_key(|(distance, _)| *distance);
        let compared =
            near.into_iter().take(COMPARED).map(|(_, one)| (one, one.differences(ask.asked, ask.pin)));
        let nearest = compared.min_by_key(|(_, differs)| differs.len());
        match nearest {
            None => Miss::Empty,
            Some((exchange, mut differs)) => {
                if differs.len() > SHOWN {
                    let more = differs.len() - SHOWN;
                    differs.truncate(SHOWN);
                    differs.push(format!("and {more} more"));
                }
                Miss::Nearest { test: exchange.test.clone(), differs }
            }
        }
    }
}
