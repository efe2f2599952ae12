import ArgumentParser
import HatchlingCompiler

/// A number of edges: `30000`, `30_000` or `3e4`.
struct EdgeCount: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    let digits = argument.filter { $0 != "_" }
    if let count = Int(digits), count >= 0, count <= Int(Int32.max) {
      self.count = count
    } else if let value = Double(digits), value >= 0, value <= Double(Int32.max), value == value.rounded() {
      count = Int(value)
    } else {
      return nil
    }
  }
}

extension DirectOptions.Plastic: ExpressibleByArgument {}

/// What a pruned direct graph does about what it lost.
struct RepairOptions: ParsableArguments {
  @Flag(help: "Rank token → neuron edges with the others; otherwise all of them are kept, beside M.")
  var pruneTokens = false

  @Flag(help: "Keep excitatory edges only.")
  var excitatoryOnly = false

  @Option(help: "Which synapses learn: those of G_x that are kept, or a complete graph.")
  var plastic: DirectOptions.Plastic = .kept

  @Flag(help: "Give every neuron the same number of edges, M / n of each graph.")
  var perNeuron = false

  @Flag(help: "Multiply a neuron's kept weights to have the norm of all of them.")
  var rescale = false

  @Option(
    help: ArgumentHelp(
      "Hubs that carry the best approximation of rank R; edges are then the strongest of the rest.",
      valueName: "r"))
  var hubs = 0

  /// Anything but the defaults.
  var isUsed: Bool { pruneTokens || excitatoryOnly || plastic != .kept || perNeuron || rescale || hubs != 0 }

  func options(keeping edges: Int) -> DirectOptions {
    DirectOptions(
      kept: perNeuron ? .strongestPerNeuron(edges) : .strongest(edges), excitatoryOnly: excitatoryOnly,
      prunesTokens: pruneTokens,
      plastic: plastic, rescales: rescale, hubs: hubs)
  }
}

/// Pruning of the direct form, shared by the commands that compile it.
struct DirectFormOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Direct form: keep the entries of G_x and G_y of at least B.", valueName: "b"))
  var threshold: Double?

  @Option(help: ArgumentHelp("Direct form: keep the strongest M edges of G_x and of G_y.", valueName: "m"))
  var edges: EdgeCount?

  @OptionGroup(title: "Pruned direct graphs") var repairs: RepairOptions

  var isUsed: Bool { threshold != nil || edges != nil || repairs.isUsed }

  func validate() throws {
    guard threshold == nil || edges == nil else {
      throw ValidationError("--threshold and --edges exclude each other; give one of them")
    }
    guard edges != nil || !repairs.perNeuron else {
      throw ValidationError("--per-neuron shares out --edges M; give it too")
    }
    guard edges != nil || threshold != nil || !repairs.isUsed else {
      throw ValidationError(
        "--prune-tokens, --excitatory-only, --plastic, --rescale and --hubs go with a pruned graph; add --edges M or --threshold B"
      )
    }
  }

  /// - Throws: ``OptionError`` when options of the direct form meet a run of something else.
  func check(_ form: FormChoice, _ engine: EngineChoice = .graph) throws {
    guard isUsed, form != .direct || engine != .graph else { return }
    throw OptionError.bad(
      "--threshold, --edges and what goes with them prune the direct graph; add --form direct")
  }

  var compilerOptions: DirectOptions {
    if let edges { return repairs.options(keeping: edges.count) }
    guard let threshold else { return DirectOptions() }
    return DirectOptions(
      kept: .atLeast(threshold), excitatoryOnly: repairs.excitatoryOnly, prunesTokens: repairs.pruneTokens,
      plastic: repairs.plastic,
      rescales: repairs.rescale, hubs: repairs.hubs)
  }
}
