#if HDF5
  import HatchlingCheckpoint
  import HatchlingGraph
  import HatchlingHDF5
  import HatchlingModel
  import HatchlingNumerics

  extension SonataNetwork {
    /// Whether a file may be such a network: whether it begins as HDF5 files do.
    public static func mayBe(_ path: String) -> Bool { HDF5Input.begins(path) }

    /// The circuit of a file that ``GraphFormat/write(_:to:)`` made, or that says the same in the same places; synapses that are missing do not exist.
    ///
    /// - Throws: `CheckpointError`; `ModelError.badMetadata`, `.notFinite`. Cost: one pass over the file.
    public static func circuit(path: String) throws -> CircuitGraph<Float> {
      let input = try HDF5Input(path: path)
      func text(_ key: String) throws -> String { try input.text(key, of: "hatchling") ?? "" }
      switch try input.text("format", of: "hatchling") {
      case format?: break
      case nil:
        throw CheckpointError.unsupported(
          path: path,
          what:
            "it is an HDF5 file without a network in SONATA's format; convert a model of Keras to safetensors"
        )
      case let other?:
        throw CheckpointError.unsupported(
          path: path, what: "its format is '\(other)', and this program reads '\(format)'")
      }
      guard try text("form") == GraphForm.circuit.rawValue else {
        throw CheckpointError.unsupported(
          path: path,
          what: "it holds a graph of neurons for other programs; only a circuit is read back from SONATA")
      }
      let (layers, variant) = (try text("n_layer"), try text("variant"))
      guard let count = Int(layers), (1...10_000).contains(count) else {
        throw ModelError.badMetadata(path: path, key: "n_layer", value: layers, expected: "1 to 10000")
      }
      guard let rule = Variant(rawValue: variant) else {
        throw ModelError.badMetadata(path: path, key: "variant", value: variant, expected: "a variant")
      }
      let reader = SonataReader(input: input)
      let sizes = try reader.sizes()
      var graph = CircuitGraph<Float>(
        layers: count, variant: rule, neurons: try reader.neurons(sizes.neurons),
        embedding: try reader.projection(
          "embedding", (.token, sizes.tokens), (.hub, sizes.hubs), rowsSend: true),
        drivesX: try reader.projection("x", (.hub, sizes.hubs), (.neuron, sizes.neurons)),
        drivesY: try reader.projection("y", (.hub, sizes.hubs), (.neuron, sizes.neurons)),
        encoder: try reader.projection(
          "encoder", (.neuron, sizes.neurons), (.hub, sizes.hubs), rowsSend: true),
        readout: try reader.projection(
          "readout", (.hub, sizes.hubs), (.readout, sizes.tokens), rowsSend: true),
        plastic: try reader.plastic((.hub, sizes.hubs), (.neuron, sizes.neurons)))
      graph.isCentred = try text("centred") == "yes"
      return graph
    }
  }

  /// Takes the parts of a circuit out of a SONATA file.
  private struct SonataReader {
    let input: HDF5Input
    typealias Population = (kind: ParticleKind, count: Int)

    private func damaged(_ place: String, _ problem: String) -> CheckpointError {
      .damaged(path: input.path, place: "'\(place)'", problem: problem)
    }

    func sizes() throws -> (neurons: Int, hubs: Int, tokens: Int) {
      func count(_ kind: ParticleKind) throws -> Int {
        let place = "nodes/\(SonataNetwork.population(kind))"
        let count = try input.count("\(place)/node_type_id")
        guard (1...1 << 30).contains(count) else { throw damaged(place, "it has \(count) nodes") }
        return count
      }
      let (neurons, hubs, tokens) = (try count(.neuron), try count(.hub), try count(.token))
      guard try count(.readout) == tokens else {
        throw damaged("nodes/readouts", "there are \(try count(.readout)), and \(tokens) tokens")
      }
      // What a dense matrix of them takes is to be in proportion to the file: every circuit has most of its synapses.
      let numbers = (3 * neurons + 2 * tokens).multipliedReportingOverflow(by: hubs)
      guard !numbers.overflow, numbers.partialValue <= max(1 << 24, input.size) else {
        throw damaged(
          "nodes", "\(neurons) neurons, \(hubs) hubs and \(tokens) tokens are too many for this file")
      }
      return (neurons, hubs, tokens)
    }

    /// Heads, clocks, damping and pairs.
    func neurons(_ count: Int) throws -> NeuronPopulation {
      let group = "nodes/neurons/0"
      let heads = try input.numbers("\(group)/head", of: Int32.self, count: count)
      var sizes: [Int] = []
      for head in heads {
        if Int(head) == sizes.count { sizes.append(0) }
        guard !sizes.isEmpty, Int(head) == sizes.count - 1 else {
          throw damaged("\(group)/head", "heads are not numbered from 0, neuron by neuron")
        }
        sizes[sizes.count - 1] += 1
      }
      var neurons = NeuronPopulation(headSizes: sizes)
      let frequencies = try input.numbers("\(group)/frequency", of: Float.self, count: count)
      let damping = try input.numbers("\(group)/damping", of: Float.self, count: count)
      for (name, numbers) in [("frequency", frequencies), ("damping", damping)] {
        if let bad = numbers.firstIndex(where: { !$0.isFinite }) {
          throw ModelError.notFinite(path: input.path, key: "\(group)/\(name)", index: bad)
        }
      }
      if let bad = damping.firstIndex(where: { !(0...1).contains($0) }) {
        throw ModelError.dampingOutOfRange(path: input.path, index: bad, value: damping[bad])
      }
      let (sources, targets) = try ends("partner", (.neuron, count), (.neuron, count))
      let signs = try input.numbers("edges/partner/0/sign", of: Int32.self, count: sources.count)
      for ((source, target), sign) in zip(zip(sources, targets), signs) where sign > 0 {
        guard neurons.partners[source] < 0, neurons.partners[target] < 0, source != target else {
          throw damaged("edges/partner", "neuron \(source) or \(target) has two partners")
        }
        neurons.pair(NeuronIndex(source), NeuronIndex(target), frequency: frequencies[source])
      }
      (neurons.frequencies, neurons.damping) = (frequencies, damping)
      return neurons
    }

    /// A population of synapses with weights; rows are what they are bundled by.
    func projection(
      _ kind: String, _ source: Population, _ target: Population, rowsSend: Bool = false
    ) throws -> Projection<Float> {
      let (sources, targets) = try ends(kind, source, target)
      let weights = try input.numbers("edges/\(kind)/0/syn_weight", of: Float.self, count: sources.count)
      if let bad = weights.firstIndex(where: { !$0.isFinite }) {
        throw ModelError.notFinite(path: input.path, key: "edges/\(kind)/0/syn_weight", index: bad)
      }
      let (rows, columns) = rowsSend ? (source.count, target.count) : (target.count, source.count)
      var matrix = Matrix<Float>(rows: rows, columns: columns)
      let base = matrix.mutablePointer()
      for edge in weights.indices {
        let (row, column) = rowsSend ? (sources[edge], targets[edge]) : (targets[edge], sources[edge])
        guard base[row * columns + column] == 0 else {
          throw damaged("edges/\(kind)", "a synapse from \(sources[edge]) to \(targets[edge]) is there twice")
        }
        base[row * columns + column] = weights[edge]
      }
      return Projection(dense: matrix)
    }

    func plastic(_ hubs: Population, _ neurons: Population) throws -> PlasticProjection {
      let (sources, targets) = try ends("plastic", hubs, neurons)
      var mask = Matrix<UInt8>(rows: neurons.count, columns: hubs.count)
      let base = mask.mutablePointer()
      for edge in sources.indices { base[targets[edge] * hubs.count + sources[edge]] = 1 }
      return PlasticProjection(neurons: neurons.count, hubs: hubs.count, present: mask)
    }

    /// Where the synapses of a kind begin and end.
    private func ends(
      _ kind: String, _ source: Population, _ target: Population
    ) throws -> (sources: [Int], targets: [Int]) {
      let group = "edges/\(kind)"
      let sources = try input.numbers("\(group)/source_node_id", of: UInt32.self)
      let targets = try input.numbers("\(group)/target_node_id", of: UInt32.self, count: sources.count)
      for (name, population) in [("source", source), ("target", target)] {
        let said = try input.text("node_population", of: "\(group)/\(name)_node_id")
        guard said == SonataNetwork.population(population.kind) else {
          throw damaged(
            "\(group)/\(name)_node_id", "they are not nodes of '\(SonataNetwork.population(population.kind))'"
          )
        }
      }
      // Attributes are looked up by edge.
      let places = try input.numbers("\(group)/edge_group_index", of: UInt32.self, count: sources.count)
      guard places.enumerated().allSatisfy({ Int($1) == $0 }) else {
        throw CheckpointError.unsupported(
          path: input.path, what: "'\(group)' has edges in several groups, or not in their order")
      }
      for (name, ids, count) in [("source", sources, source.count), ("target", targets, target.count)] {
        if let bad = ids.first(where: { $0 >= count }) {
          throw damaged("\(group)/\(name)_node_id", "there is no node \(bad)")
        }
      }
      return (sources.map { Int($0) }, targets.map { Int($0) })
    }
  }
#endif
