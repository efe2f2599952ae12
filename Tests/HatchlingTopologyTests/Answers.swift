#if Topology
  import Foundation
  import HatchlingGraph
  import HatchlingNumerics

  /// What NumPy, NetworkX, leidenalg, powerlaw, SciPy and mpmath say (Fixtures/make.py).
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
      let leiden: Double
    }

    /// The exact fit to a sample that ``degrees`` draws again.
    struct Law: Decodable {
      let trueAlpha: Double
      let trueXMin: Int
      let size: Int
      let seed: UInt64
      let check: Int
      let xMin: Int
      let alpha: Double
      let ks: Double
      let tail: Int

      /// A rounded continuous power law above uniform degrees below x_min, as make.py's `law` draws it.
      var degrees: [Int] {
        var random = SeededRandom(seed: seed)
        var values: [Int] = []
        while values.count < size {
          var u = random.uniform()
          if trueXMin > 1, u < 0.3 {
            values.append(1 + Int(random.next() % UInt64(trueXMin - 1)))
          } else {
            u = random.uniform()
            let value = (Double(trueXMin) - 0.5) * Foundation.pow(1 - u, -1 / (trueAlpha - 1)) + 0.5
            if value < 1e9 { values.append(Int(value)) }
          }
        }
        return values
      }
    }

    /// The exact fit to the degrees of a graph that docs/topology.md shows.
    struct Network: Decodable {
      let name: String
      let degrees: [Int]
      let counts: [Int]
      let xMin: Int
      let alpha: Double
      let ks: Double
      let tail: Int

      var all: [Int] { zip(degrees, counts).flatMap { [Int](repeating: $0, count: $1) } }
    }

    struct Zeta: Decodable {
      let s: Double
      let a: Double
      let value: Double
      let slope: Double
      let curvature: Double
    }

    let graphs: [Graph]
    let samples: [Sample]
    let uniform: [Uniform]
    let laws: [Law]
    let networks: [Network]
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
