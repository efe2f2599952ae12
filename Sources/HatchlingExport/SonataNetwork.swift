#if HDF5
  import HatchlingCheckpoint
  import HatchlingGraph
  import HatchlingHDF5

  /// Networks as SONATA files: `/nodes/POPULATION` and `/edges/KIND`, a population for every kind of particle and of synapse.
  ///
  /// `syn_weight` is negative for an inhibitory synapse; kinds whose weight is state have a `sign` instead. What is neither node nor edge stands
  /// in the attributes of `/hatchling`, so that a circuit can be read back without loss.
  public enum SonataNetwork {
    /// What a file says of itself in the attribute `format` of `/hatchling`, and the only one that is read.
    static let format = "hatchling-sonata-1"

    /// The nodes of one kind of particle.
    static func population(_ kind: ParticleKind) -> String { "\(kind.rawValue)s" }

    /// Writes a graph, edges as they come; every file appears whole or not at all. Returns the files: beside the network two tables of types,
    /// which bmtk wants.
    ///
    /// - Throws: `CheckpointError.unwritable`. Cost: one walk over nodes and edges; 24 bytes per edge.
    static func write(_ graph: ExportedGraph, to path: String) throws -> [String] {
      let file = try HDF5File(path: path)
      try file.attributes(of: "/", [("magic", .uint32(0x0A7A)), ("version", .uint32s([0, 1]))])
      let metadata = graph.metadata.sorted { $0.key < $1.key }
      try file.group(
        "hatchling", [("format", .text(format))] + metadata.map { ($0.key, .text($0.value)) })
      let populations = try writeNodes(graph, file)
      try file.group("edges")
      for kind in graph.kinds { try write(kind, file) }
      try file.commit()
      let stem = String(path.dropLast(".h5".count))
      let nodes = populations.enumerated().map { "\($0) \(population($1)) point_process" }
      let edges = graph.kinds.enumerated().map {
        "\($0) \($1.name) \(population($1.source)) \(population($1.target))"
      }
      return [
        path,
        try table("\(stem).node_types.csv", ["node_type_id population model_type"] + nodes),
        try table("\(stem).edge_types.csv", ["edge_type_id population source target"] + edges),
      ]
    }

    private static func table(_ path: String, _ lines: [String]) throws -> String {
      try AtomicFile.writeText(to: path) { text in for line in lines { text.append("\(line)\n") } }
      return path
    }

    /// Populations in the order in which the graph names their nodes.
    private static func writeNodes(_ graph: ExportedGraph, _ file: HDF5File) throws -> [ParticleKind] {
      var (order, nodes): ([ParticleKind], [ParticleKind: [ExportedNode]]) = ([], [:])
      try graph.forEachNode { node in
        if nodes[node.particle.kind] == nil { order.append(node.particle.kind) }
        nodes[node.particle.kind, default: []].append(node)
      }
      try file.group("nodes")
      for (number, kind) in order.enumerated() {
        let (group, nodes) = ("nodes/\(population(kind))", nodes[kind] ?? [])
        // A graph of one head has a part of the network's neurons; ids are the network's.
        let first = nodes.first?.particle.index ?? 0
        let count = first + nodes.count
        func column<Value>(_ none: Value, _ value: (ExportedNode) -> Value?) -> [Value] {
          Array(repeating: none, count: first) + nodes.map { value($0) ?? none }
        }
        try file.group("\(group)/0")
        try file.dataset("\(group)/node_type_id", .int32s(Array(repeating: Int32(number), count: count)))
        try file.dataset("\(group)/node_group_id", .uint32s(Array(repeating: 0, count: count)))
        try file.dataset("\(group)/node_group_index", .uint32s((0..<count).map { UInt32($0) }))
        guard kind == .neuron else { continue }
        try file.dataset("\(group)/0/head", .int32s(column(-1) { $0.head.map { Int32($0) } }))
        try file.dataset("\(group)/0/frequency", .floats(column(0) { $0.frequency }))
        try file.dataset("\(group)/0/damping", .floats(column(0) { $0.damping }))
        guard nodes.contains(where: { $0.community != nil }) else { continue }
        try file.dataset("\(group)/0/community", .int32s(column(-1) { $0.community.map { Int32($0) } }))
      }
      return order
    }

    private static func write(_ kind: ExportedGraph.Kind, _ file: HDF5File) throws {
      let group = "edges/\(kind.name.isEmpty ? "synapse" : kind.name)"
      try file.group("\(group)/0")
      func column<Number: HDF5Number>(
        _ name: String, of type: Number.Type, numbering particles: ParticleKind? = nil
      ) throws -> HDF5Column<Number> {
        try file.column(
          "\(group)/\(name)", of: type, rows: kind.edges,
          particles.map { [("node_population", .text(population($0)))] } ?? [])
      }
      let sources = try column("source_node_id", of: UInt32.self, numbering: kind.source)
      let targets = try column("target_node_id", of: UInt32.self, numbering: kind.target)
      let types = try column("edge_type_id", of: Int32.self)
      let groups = try column("edge_group_id", of: UInt32.self)
      let places = try column("edge_group_index", of: UInt32.self)
      let weights = try kind.hasWeights ? column("0/syn_weight", of: Float.self) : nil
      let signs = try kind.hasWeights ? nil : column("0/sign", of: Int32.self)
      var (number, waiting) = (0, [ExportedEdge]())
      func flush() throws {
        try sources.append(waiting.map { UInt32($0.source) })
        try targets.append(waiting.map { UInt32($0.target) })
        try types.append(0, times: waiting.count)
        try groups.append(0, times: waiting.count)
        try places.append((0..<waiting.count).map { UInt32(number + $0) })
        try weights?.append(
          waiting.map { edge in
            Float(edge.weight ?? 0) * (edge.sign == .inhibitory ? -1 : 1)
          })
        try signs?.append(waiting.map { Int32($0.sign == .inhibitory ? -1 : 1) })
        number += waiting.count
        waiting.removeAll(keepingCapacity: true)
      }
      try kind.forEachEdge { edge in
        waiting.append(edge)
        if waiting.count == 1 << 14 { try flush() }
      }
      try flush()
      for column in [sources, targets, places, groups] { try column.flush() }
      try types.flush()
      try weights?.flush()
      try signs?.flush()
    }
  }
#endif
