//! What goes round in a circle, and in which order everything else stands.

use std::collections::VecDeque;

use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

/// Nodes so that each comes after those that its edges lead to; or one circle of every knot of circles: the shortest
/// through the knot's first node, beginning with it, in the order of the edges. Circles are in the order of their nodes.
pub(super) fn order(nodes: usize, edges: &[(usize, usize)]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let mut graph: DiGraph<(), (), usize> = DiGraph::with_capacity(nodes, edges.len());
    for _ in 0..nodes {
        graph.add_node(());
    }
    for (from, to) in edges {
        graph.add_edge(NodeIndex::new(*from), NodeIndex::new(*to), ());
    }
    if let Ok(order) = toposort(&graph, None) {
        return Ok(order.into_iter().rev().map(NodeIndex::index).collect());
    }
    // Not Tarjan's: petgraph's calls itself once for each node of a chain.
    let mut circles: Vec<Vec<usize>> =
        kosaraju_scc(&graph).into_iter().filter_map(|knot| circle(&graph, &knot)).collect();
    circles.sort();
    Err(circles)
}

fn circle(graph: &DiGraph<(), (), usize>, knot: &[NodeIndex<usize>]) -> Option<Vec<usize>> {
    let start = knot.iter().copied().min()?;
    let mut inside: Vec<NodeIndex<usize>> = knot.to_vec();
    inside.sort_unstable();
    let mut came_from = std::collections::HashMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(node) = next.pop_front() {
        let mut followers: Vec<_> = graph.neighbors(node).collect();
        followers.sort_unstable();
        for follower in followers {
            if follower == start {
                let mut circle = vec![node.index()];
                let mut at = node;
                while at != start {
                    at = *came_from.get(&at)?;
                    circle.push(at.index());
                }
                circle.reverse();
                return Some(circle);
            }
            if inside.binary_search(&follower).is_ok() && !came_from.contains_key(&follower) {
                came_from.insert(follower, node);
                next.push_back(follower);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_comes_first() {
        assert_eq!(order(3, &[(0, 2), (2, 1)]), Ok(vec![1, 2, 0]));
    }

    #[test]
    fn each_knot_shows_its_shortest_circle() {
        let edges = [(1, 2), (2, 3), (3, 1), (2, 1), (0, 1), (5, 5), (6, 7), (7, 6), (4, 5)];
        assert_eq!(order(8, &edges), Err(vec![vec![1, 2], vec![5], vec![6, 7]]));
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let mut edges: Vec<_> = (0..200_000).map(|n| (n, n + 1)).collect();
        assert!(order(200_001, &edges).is_ok());
        edges.push((200_000, 0));
        assert_eq!(order(200_001, &edges).map_err(|circles| circles[0].len()), Err(200_001));
    }
}
