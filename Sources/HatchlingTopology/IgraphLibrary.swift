#if Topology
  internal import CIgraph
  import HatchlingNumerics
  import Synchronization

  /// What igraph answered instead of a result.
  public struct IgraphError: InputError {
    public let function: String
    public let reason: String

    public var description: String { "igraph's \(function) failed: \(reason)" }
  }

  /// igraph keeps its random numbers and its clean-up stack in global memory, so one thread at a time uses it.
  enum IgraphLibrary {
    private static let turn = Mutex<Bool>(false)

    /// Runs `body` alone; `seed` starts igraph's random numbers anew. Not reentrant.
    static func alone<Result>(seed: UInt64 = 0, _ body: () throws -> Result) rethrows -> Result {
      try turn.withLock { isQuiet in
        if !isQuiet {
          hatchling_igraph_be_quiet()
          isQuiet = true
        }
        igraph_rng_seed(igraph_rng_default(), seed)
        return try body()
      }
    }

    static func check(_ code: igraph_error_t, _ function: String) throws(IgraphError) {
      guard code != IGRAPH_SUCCESS else { return }
      throw IgraphError(function: function, reason: String(cString: igraph_strerror(code)))
    }
  }

  /// A graph of igraph's. Used only inside ``IgraphLibrary/alone(seed:_:)``.
  final class IgraphGraph {
    var graph = igraph_t()

    /// - Parameter edges: source, target, source, target, …
    init(nodes: Int, edges: [Int], directed: Bool) throws(IgraphError) {
      var view = igraph_vector_int_t()
      let code = edges.map(Int64.init).withUnsafeBufferPointer { edges in
        igraph_vector_int_view(&view, edges.baseAddress, Int64(edges.count))
        return igraph_create(&graph, &view, Int64(nodes), directed)
      }
      try IgraphLibrary.check(code, "igraph_create")
    }

    /// G(n, m), directed, with self-connections, as the graphs that it is compared with.
    init(randomNodes nodes: Int, edges: Int) throws(IgraphError) {
      try IgraphLibrary.check(
        igraph_erdos_renyi_game_gnm(&graph, Int64(nodes), Int64(edges), true, true),
        "igraph_erdos_renyi_game_gnm")
    }

    deinit { igraph_destroy(&graph) }

    /// Source, target, source, target, …
    func edges() throws(IgraphError) -> [Int] {
      let result = try IgraphVector()
      try IgraphLibrary.check(igraph_get_edgelist(&graph, &result.vector, false), "igraph_get_edgelist")
      return result.values
    }
  }

  /// A vector of integers that igraph writes.
  final class IgraphVector {
    var vector = igraph_vector_int_t()

    init() throws(IgraphError) {
      try IgraphLibrary.check(igraph_vector_int_init(&vector, 0), "igraph_vector_int_init")
    }

    deinit { igraph_vector_int_destroy(&vector) }

    var values: [Int] {
      UnsafeBufferPointer(start: vector.stor_begin, count: Int(igraph_vector_int_size(&vector))).map {
        Int($0)
      }
    }
  }

  /// Calls `body` with numbers as igraph sees them, without a copy.
  func withIgraphVector<Result>(
    _ values: [Double], _ body: (UnsafePointer<igraph_vector_t>) throws -> Result
  ) rethrows -> Result {
    try values.withUnsafeBufferPointer { values in
      var view = igraph_vector_t()
      igraph_vector_view(&view, values.baseAddress, Int64(values.count))
      return try body(&view)
    }
  }
#endif
