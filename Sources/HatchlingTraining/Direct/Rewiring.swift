import HatchlingGraph
import HatchlingNumerics

/// How a graph in training exchanges synapses: the weakest go, others come, as many as went.
public struct Rewiring: Codable, Equatable, Sendable {
  /// Where new synapses come from.
  public enum Growth: String, Codable, Sendable, CaseIterable {
    /// Where the gradient of the missing synapse is largest (RigL).
    case gradient
    /// Anywhere (SET).
    case random
  }

  public var growth: Growth
  /// Updates between exchanges.
  public var every: Int
  /// Fraction of synapses that the first exchange drops; falls to 0 along a half cosine.
  public var drop: Double
  /// Fraction of the run after which the wiring stays.
  public var until: Double

  public init(_ growth: Growth, every: Int = 50, drop: Double = 0.3, until: Double = 0.75) {
    (self.growth, self.every, self.drop, self.until) = (growth, every, drop, until)
  }

  /// - Throws: ``DirectTrainingError/badRewiring(_:)``.
  func validate() throws(DirectTrainingError) {
    guard every >= 1 else { throw .badRewiring("an exchange every \(every) updates: at least 1") }
    guard drop > 0 && drop <= 1 else {
      throw .badRewiring("an exchange of \(drop) of all synapses: a fraction above 0, up to 1")
    }
    guard until > 0 && until <= 1 else {
      throw .badRewiring("exchanges up to \(until) of the run: a fraction above 0, up to 1")
    }
  }

  /// What fraction is exchanged after update `step` of `steps`; 0 where nothing is.
  func fraction(after step: Int, of steps: Int) -> Double {
    let last = until * Double(steps)
    guard step % every == 0, Double(step) < last else { return 0 }
    return drop / 2 * (1 + Double.cos(Double.pi * Double(step) / last))
  }
}

/// One exchange of synapses: where each new one comes from among the old ones.
struct SynapseExchange {
  let edges: EdgeLists
  /// Position of every synapse in the old lists, −1 for new ones.
  let origins: [Int]
  /// Whether a new synapse inhibits, by position; false for old ones.
  private let isInhibitory: [Bool]

  /// Drops the `count` weakest of `edges` and grows as many where `grown` says.
  ///
  /// - Parameters:
  ///   - grown: given which places are taken (as target · sources + source, ascending), as many others, ascending.
  /// Ties go to the earlier synapse. Cost: sorts all magnitudes.
  init<Scalar: NetworkScalar>(
    _ old: EdgeLists, _ weights: Matrix<Scalar>, sources: Int, dropping count: Int,
    grown: (_ taken: [Int]) -> [GrownSynapse]
  ) {
    let values = weights.pointer
    let order = (0..<old.count).sorted { first, second in
      let (a, b) = (values[first].magnitude, values[second].magnitude)
      return a != b ? a < b : first < second
    }
    var isDropped = [Bool](repeating: false, count: old.count)
    for place in order.prefix(count) { isDropped[place] = true }
    var kept: [(place: Int, origin: Int)] = []
    kept.reserveCapacity(old.count)
    for target in 0..<old.targetCount {
      for place in old.offsets[target]..<old.offsets[target + 1] where !isDropped[place] {
        kept.append((target * sources + Int(old.sources[place]), place))
      }
    }
    let new = grown(kept.map(\.place))
    var (edges, origins, isInhibitory) = (EdgeLists(offsets: [0], sources: []), [Int](), [Bool]())
    var (nextKept, nextNew) = (0, 0)
    for target in 0..<old.targetCount {
      let end = (target + 1) * sources
      while true {
        let keptPlace = nextKept < kept.count ? kept[nextKept].place : Int.max
        let newPlace = nextNew < new.count ? new[nextNew].place : Int.max
        let place = min(keptPlace, newPlace)
        guard place < end else { break }
        edges.sources.append(Int32(place - target * sources))
        if keptPlace < newPlace {
          origins.append(kept[nextKept].origin)
          isInhibitory.append(false)
          nextKept += 1
        } else {
          origins.append(-1)
          isInhibitory.append(new[nextNew].isInhibitory)
          nextNew += 1
        }
      }
      edges.offsets.append(edges.sources.count)
    }
    (self.edges, self.origins, self.isInhibitory) = (edges, origins, isInhibitory)
  }

  /// Weights at their new places; new ones are 0, with the sign that they begin with.
  func movedWeights<Scalar: NetworkScalar>(_ old: Matrix<Scalar>) -> Matrix<Scalar> {
    var moved = moved(old)
    let values = moved.mutablePointer()
    for place in origins.indices where isInhibitory[place] { values[place] = -0.0 }
    return moved
  }

  /// The numbers of the old synapses at their new places, 0 at new ones.
  func moved<Scalar: NetworkScalar>(_ old: Matrix<Scalar>) -> Matrix<Scalar> {
    let values = old.pointer
    return Matrix(rows: 1, columns: origins.count, origins.map { $0 < 0 ? 0 : values[$0] })
  }

  /// `count` places that are not taken, uniformly, ascending.
  static func random(_ count: Int, among places: Int, taken: [Int], _ random: inout SeededRandom) -> [Int] {
    let taken = Set(taken)
    var found = Set<Int>()
    while found.count < count {
      let place = Int.random(in: 0..<places, using: &random)
      if !taken.contains(place) { found.insert(place) }
    }
    return found.sorted()
  }
}

/// The places with the largest numbers, of numbers that come block by block.
struct LargestPlaces<Scalar: NetworkScalar> {
  private let count: Int
  private var candidates: [(place: Int, value: Scalar)] = []
  private var least: Scalar = 0

  init(_ count: Int) { self.count = count }

  /// Takes a place into account; ties go to the earlier place.
  @inline(__always)
  mutating func add(_ place: Int, _ value: Scalar) {
    guard value.magnitude > least else { return }
    candidates.append((place, value))
    if candidates.count >= 4 * count + 1024 { shrink() }
  }

  private mutating func shrink() {
    candidates.sort {
      let (a, b) = ($0.value.magnitude, $1.value.magnitude)
      return a != b ? a > b : $0.place < $1.place
    }
    guard candidates.count > count else { return }
    candidates.removeLast(candidates.count - count)
    least = candidates.last?.value.magnitude ?? 0
  }

  /// The places with their numbers, by place: fewer than asked for where fewer numbers are not 0.
  mutating func places() -> [(place: Int, value: Scalar)] {
    shrink()
    return candidates.sorted { $0.place < $1.place }
  }
}
