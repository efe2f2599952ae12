import HatchlingGraph
import HatchlingNumerics

/// Ways to a network whose neurons excite or inhibit and never do both, and the control.
public enum DaleLaw: String, CaseIterable, Sendable {
  /// A neuron keeps the synapses of the sign that the sum of all that it sends has; the others are cut.
  case cut
  /// No law: of every neuron as many synapses are cut, drawn by lot.
  case lot
  /// All synapses of a neuron to hubs are raised by one number, so that none inhibits. The normaliser behind the hubs takes the mean of all hubs
  /// away, and with it what was added.
  case shift
}

/// *dale*: Dale's law for the fixed synapses of neurons, in the direct form G_x and G_y, in the circuit E. Token neurons, which stand for what comes
/// from outside, and synapses that carry σ stay as they are, in the direct form F too.
public struct DalePass: CompilerPass {
  public let name = "dale"
  private let law: DaleLaw
  private let seed: UInt64

  /// - Parameter seed: of what is drawn by lot.
  public init(_ law: DaleLaw, seed: UInt64 = 1) { (self.law, self.seed) = (law, seed) }

  /// - Throws: ``CompilerError/misplaced(pass:needs:)`` for weights, ``CompilerError/nothingToShift`` where no normaliser takes a mean away. Cost: some
  ///   passes over the synapses.
  public func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
    switch stage {
    case .weights: throw CompilerError.misplaced(pass: name, needs: "a graph")
    case .circuit(var graph):
      if law == .shift {
        guard graph.variant.normalises && !graph.isCentred else { throw CompilerError.nothingToShift }
        graph.encoder = Projection(dense: Self.raised(graph.encoder.dense))
        return (.circuit(graph), nil, "E raised by one number per neuron")
      }
      var sent = Sent(neurons: graph.neuronCount, [(graph.encoder, true)])
      graph.encoder = sent.remaining(law, seed)[0]
      return (.circuit(graph), nil, sent.note)
    case .direct(var graph):
      if law == .shift { throw CompilerError.nothingToShift }
      var sent = Sent(neurons: graph.neuronCount, [(graph.drivesX, true), (graph.drivesY, false)])
      let left = sent.remaining(law, seed)
      (graph.drivesX, graph.drivesY) = (left[0], left[1])
      graph.compilation = [graph.compilation, "dale=\(law.rawValue)"].filter { !$0.isEmpty }.joined(
        separator: " ")
      return (.direct(graph), nil, sent.note)
    }
  }

  /// Every row from 0 upwards.
  private static func raised<Scalar: NetworkScalar>(_ matrix: Matrix<Scalar>) -> Matrix<Scalar> {
    var raised = matrix
    let numbers = raised.mutablePointer()
    for row in 0..<matrix.rows {
      let own = numbers + row * matrix.columns
      let least = (0..<matrix.columns).reduce(Scalar.infinity) { min($0, own[$1]) }
      for column in 0..<matrix.columns { own[column] -= least }
    }
    return raised
  }
}

/// What neurons send over some projections.
private struct Sent<Scalar: NetworkScalar> {
  let neurons: Int
  /// Whether rows are those who send.
  let projections: [(synapses: Projection<Scalar>, rowsSend: Bool)]
  /// The sign of what each neuron sends in all, 0 counted as excitation.
  private let excites: [Bool]
  private(set) var note = ""

  init(neurons: Int, _ projections: [(synapses: Projection<Scalar>, rowsSend: Bool)]) {
    (self.neurons, self.projections) = (neurons, projections)
    var sums = [Scalar](repeating: 0, count: neurons)
    for (synapses, rowsSend) in projections {
      synapses.forEachEntry { row, column, weight in
        let sender = rowsSend ? row : column
        if sender < neurons { sums[sender] += weight }
      }
    }
    excites = sums.map { $0 >= 0 }
  }

  /// The projections without what the law, or the lot, cuts.
  mutating func remaining(_ law: DaleLaw, _ seed: UInt64) -> [Projection<Scalar>] {
    var random = SeededRandom(seed: seed)
    var (cut, all) = (0, 0)
    let left = projections.map { synapses, rowsSend in
      // Of every neuron: synapses that are still to be looked at, and how many of them are still to be cut.
      var (ahead, toCut) = ([Int](repeating: 0, count: neurons), [Int](repeating: 0, count: neurons))
      synapses.forEachEntry { row, column, weight in
        let sender = rowsSend ? row : column
        guard sender < neurons else { return }
        ahead[sender] += 1
        toCut[sender] += (weight > 0) != excites[sender] ? 1 : 0
      }
      cut += toCut.reduce(0, +)
      all += ahead.reduce(0, +)
      return synapses.keeping { row, column, weight in
        let sender = rowsSend ? row : column
        guard sender < neurons else { return true }
        guard law == .lot else { return (weight > 0) == excites[sender] }
        // Of those ahead every choice of so many is as likely.
        let isCut = Int.random(in: 0..<ahead[sender], using: &random) < toCut[sender]
        ahead[sender] -= 1
        toCut[sender] -= isCut ? 1 : 0
        return !isCut
      }
    }
    note = "\(cut) of \(all) synapses of neurons cut"
    return left
  }
}

extension Projection {
  /// The synapses for which `isKept(row, column, weight)` holds, asked row by row, columns ascending, each once.
  fileprivate func keeping(_ isKept: (Int, Int, Scalar) -> Bool) -> Projection {
    if case .sparse(let lists) = storage {
      var kept = SparseRows<Scalar>(columnCount: lists.columnCount, offsets: [0], columns: [], weights: [])
      for row in 0..<lists.rowCount {
        for place in lists.offsets[row]..<lists.offsets[row + 1]
        where isKept(row, Int(lists.columns[place]), lists.weights[place]) {
          kept.columns.append(lists.columns[place])
          kept.weights.append(lists.weights[place])
        }
        kept.offsets.append(kept.columns.count)
      }
      return Projection(.sparse(kept))
    }
    var matrix = Matrix<Scalar>(rows: rows, columns: columns)
    let numbers = matrix.mutablePointer()
    forEachEntry { row, column, weight in
      if isKept(row, column, weight) { numbers[row * columns + column] = weight }
    }
    return Projection(dense: matrix)
  }
}
