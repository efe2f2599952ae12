#if Topology
  import Foundation
  import HatchlingGraph

  /// What NumPy, NetworkX, powerlaw and SciPy say (Fixtures/make.py).
  struct Answers: Decodable {
    struct Graph: Decodable {
      let nodes: Int
      let sources: [Int32]
      let targets: [Int32]
      let weights: [Float]
      let inDegree: [Int]
      let outDegree: [Int]
      let inStrength: [Double]
      let outStrength: [Double]
      let selfLoops: Int
      let partition: [Int]
      let modularity: Double
      let modularityUnweighted: Double
      let modularityDirected: Double
      let modularityDirectedUnweighted: Double
      let reciprocity: Double
      let coreness: [Int]
      let weak: [Int]
      let strong: [Int]

      var graph: NeuronGraph {
        NeuronGraph(
          nodeCount: nodes, neuronsPerHead: nodes, sources: sources, targets: targets, weights: weights)
      }
    }

    struct Sample: Decodable {
      let name: String
      let values: [Int]
      let xMin: Int
      let alpha: Double
      let ks: Double
      let tail: Int
      let otherXMin: Int
      let otherAlpha: Double
      let otherKs: Double
      let logLikelihood: Double
      let logNormalLogLikelihood: Double
      let logNormalRatio: Double
      let logNormalP: Double
      let exponentialRatio: Double
      let exponentialP: Double
    }

    struct Uniform: Decodable {
      let nodes: Int
      let edges: Int
      let seed: UInt64
      let louvain: Double
    }

    struct Zeta: Decodable {
      let s: Double
      let a: Double
      let value: Double
    }

    let graphs: [Graph]
    let samples: [Sample]
    let uniform: [Uniform]
    let zeta: [Zeta]

    static func load() throws -> Answers {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let url = Bundle.module.url(forResource: "answers", withExtension: "json")
      return try decoder.decode(
        Answers.self, from: Data(contentsOf: url ?? URL(fileURLWithPath: "answers.json")))
    }
  }
#endif
