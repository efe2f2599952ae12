import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics

/// A neuron graph that was loaded from a file: a network in direct form whose synapses are weights of their own.
public struct GraphFile: Sendable {
  public let path: String
  /// With its fingerprint, which is that of its content.
  public let graph: DirectGraph<Float>
  /// What the file says beside the graph: who made it from what.
  public let metadata: [String: String]
  /// How the weights of synapses are kept in the file.
  public let weightType: ElementType

  /// The version that is written, and the only one that is read.
  static var format: String { CheckpointFile.graphFormats + "1" }

  /// Entries of the metadata that describe the graph itself. A file without `gains` has hubs.
  enum Key: String, CaseIterable {
    case format, variant, compilation, plastic, gains
    case layers = "n_layer"
  }

  /// How `plastic` says which plastic synapses exist.
  enum PlasticSpelling: String, CaseIterable {
    case complete
    /// The synapses of G_x.
    case asX = "x"
    case lists
  }

  /// - Throws: `CheckpointError` or `ModelError` for a file that is no neuron graph or a damaged one. Cost: one pass over the file, and its
  ///   SHA-256.
  public init(path: String) throws { try self.init(CheckpointFile.open(path)) }

  /// - Throws: as ``init(path:)``.
  public init(_ file: CheckpointFile) throws {
    guard let format = file.graphFormat else {
      let isModel = file.tensors.keys.contains { $0 == "encoder" || $0.hasSuffix(".encoder") }
      throw isModel
        ? ModelError.isNoGraph(path: file.path)
        : CheckpointError.unsupported(path: file.path, what: "it holds no neuron graph")
    }
    guard format == Self.format else {
      throw CheckpointError.unsupported(
        path: file.path, what: "its format is '\(format)', and this program reads '\(Self.format)'")
    }
    let reader = GraphReader(file: file)
    var graph = try reader.graph()
    graph.fingerprint = graph.contentFingerprint
    (path, self.graph, weightType) = (file.path, graph, try reader.weights("x.weights").type)
    metadata = file.metadata.filter { GraphFile.Key(rawValue: $0.key) == nil }
  }
}

extension DirectGraph {
  /// Loads a graph that ``save(to:metadata:as:)`` wrote; in double its weights are widened.
  /// - Throws: as ``GraphFile/init(path:)``.
  public static func load(path: String) throws -> (graph: DirectGraph, metadata: [String: String]) {
    let file = try GraphFile(path: path)
    return (file.graph.converted(to: Scalar.self), file.metadata)
  }

  /// The same graph in another precision. Widening is exact; the same precision shares storage.
  public func converted<Other: NetworkScalar>(to _: Other.Type) -> DirectGraph<Other> {
    if let same = self as? DirectGraph<Other> { return same }
    var result = DirectGraph<Other>(
      layers: layers, variant: variant, neurons: neurons, tokenCount: tokenCount,
      field: field.map { Other($0) }, readout: readout.map { Other($0) },
      drivesX: drivesX.converted(), drivesY: drivesY.converted(), plastic: plastic,
      localGains: localGains?.map { Other($0) })
    result.remainderX = remainderX?.converted()
    result.remainderY = remainderY?.converted()
    (result.fingerprint, result.compilation) = (fingerprint, compilation)
    return result
  }
}

extension Projection {
  fileprivate func converted<Other: NetworkScalar>() -> Projection<Other> {
    switch storage {
    case .dense(let matrix): Projection<Other>(dense: matrix.map { Other($0) })
    case .sparse(let lists):
      Projection<Other>(
        .sparse(
          SparseRows(
            columnCount: lists.columnCount, offsets: lists.offsets, columns: lists.columns,
            weights: lists.weights.map { Other($0) })))
    case .reduced(let rows): Projection<Other>(.reduced(rows))
    }
  }

  /// The synapses as lists, row = row.
  var lists: SparseRows<Scalar> {
    if case .sparse(let lists) = storage { return lists }
    return SparseRows(dense)
  }
}

extension HubRemainder {
  fileprivate func converted<Other: NetworkScalar>() -> HubRemainder<Other> {
    HubRemainder<Other>(encoder: encoder.map { Other($0) }, decoder: decoder.map { Other($0) })
  }
}
