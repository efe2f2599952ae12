#if HDF5
  import CHDF5
  import Foundation
  import HatchlingCheckpoint
  import HatchlingCompiler
  import HatchlingGraph
  @testable import HatchlingHDF5
  import HatchlingModel
  import HatchlingNumerics
  import TestSupport
  import Testing

  @testable import HatchlingExport

  /// A circuit that went through a SONATA file is the same network; a file that is wrong is refused with a word.
  @Suite struct SonataNetworkTests {
    private let folder = NSTemporaryDirectory() + "sonata-\(UUID().uuidString)/"

    init() throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private static func weights(_ seed: UInt64) -> Weights<Float> {
      let variants = Variant.allCases
      let sizes = Hyperparameters.random(seed: seed, variant: variants[Int(seed) % variants.count])
      var weights = Weights.random(sizes, seed: seed, rotates: seed % 4 != 1, damping: seed % 2 == 0)
      var random = SeededRandom(seed: seed)
      if seed % 3 == 0 {
        // Missing synapses of every kind.
        for row in 0..<sizes.neurons {
          for column in 0..<sizes.synapticDimension where random.uniform() < 0.4 {
            weights.decoderX[row, column] = 0
            weights.encoder[row, (column + 1) % sizes.synapticDimension] = 0
          }
        }
        let count = sizes.neurons * sizes.synapticDimension
        weights.plasticSynapses = Matrix(
          rows: sizes.neurons, columns: sizes.synapticDimension,
          [0] + (1..<count).map { _ in random.uniform() < 0.7 ? 1 : 0 })
      }
      return weights
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func aCircuitComesBackBitForBit(seed: UInt64) throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let (weights, path) = (Self.weights(seed), folder + "net.h5")
      let graph = try Compiler().circuit(from: weights).graph
      let files = try GraphFormat(path: path).write(ExportedGraph(graph), to: path)
      #expect(files == [path, folder + "net.node_types.csv", folder + "net.edge_types.csv"])
      #expect(Set(try FileManager.default.contentsOfDirectory(atPath: folder)).count == 3)
      #expect(SonataNetwork.mayBe(path))
      let read = try Decompiler.weights(of: SonataNetwork.circuit(path: path))
      #expect(read.hyperparameters == weights.hyperparameters, "seed \(seed)")
      #expect(read.fingerprint == weights.fingerprint, "seed \(seed)")
      for (ours, theirs) in [
        (read.decoderX, weights.decoderX), (read.decoderY, weights.decoderY), (read.encoder, weights.encoder),
        (read.embedding, weights.embedding), (read.readout, weights.readout),
      ] {
        #expect(ours.count > 0 && ours.elements == theirs.elements, "seed \(seed)")
      }
      #expect(read.frequencies == weights.frequencies, "seed \(seed)")
      #expect(read.damping == weights.damping, "seed \(seed)")
      #expect(read.plasticSynapses?.elements == weights.plasticSynapses?.elements, "seed \(seed)")
    }

    /// A small file, and what is changed in it before it is written.
    private func refuses(_ words: String, _ change: (inout Draft) -> Void) -> Bool {
      var draft = Draft()
      change(&draft)
      let path = folder + "draft.h5"
      do {
        try draft.write(to: path)
        _ = try SonataNetwork.circuit(path: path)
        return words.isEmpty
      } catch { return !words.isEmpty && "\(error)".contains(words) }
    }

    @Test func whatIsWrongIsNamed() {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      #expect(refuses("") { _ in })
      #expect(refuses("its format is 'other'") { $0.format = "other" })
      #expect(refuses("only a circuit is read back") { $0.form = "direct" })
      for layers in ["0", "x", "", "99999999999999999999"] {
        #expect(refuses("'n_layer': '\(layers)'") { $0.layers = layers })
      }
      #expect(refuses("'variant': 'none'") { $0.variant = "none" })
      #expect(refuses("heads are not numbered") { $0.heads = [0, 1, 0, 1] })
      #expect(refuses("heads are not numbered") { $0.heads = [-1, -1, 0, 0] })
      #expect(refuses("NaN") { $0.frequencies[1] = .nan })
      #expect(refuses("not between 0 and 1") { $0.damping[1] = 1.5 })
      #expect(refuses("it has 3 numbers, not 4") { $0.heads.removeLast() })
      #expect(refuses("there is no node 9") { $0.edges["x"]?.sources[0] = 9 })
      #expect(refuses("there is no node 4294967295") { $0.edges["x"]?.targets[0] = .max })
      #expect(refuses("NaN or infinite") { $0.edges["x"]?.weights[0] = .infinity })
      #expect(refuses("it has 7 numbers, not 8") { $0.edges["x"]?.weights.removeLast() })
      #expect(refuses("is there twice") { $0.edges["x"]?.sources[1] = 0 })
      #expect(refuses("'edges/y/source_node_id': it is missing") { $0.edges["y"] = nil })
      #expect(refuses("not nodes of 'hubs'") { $0.edges["x"]?.sourcePopulation = "tokens" })
      #expect(refuses("several groups") { $0.edges["x"]?.places = [1, 0, 2, 3, 4, 5, 6, 7] })
      #expect(refuses("the file is too small") { $0.hubs = 1 << 28 })
      #expect(refuses("it has 0 nodes") { $0.hubs = 0 })
    }

    /// Damage anywhere ends in a word or a network, never otherwise. libhdf5 reads it all.
    @Test func flippedBytesAndCutFilesAreSurvived() throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let (path, broken) = (folder + "whole.h5", folder + "broken.h5")
      try Draft().write(to: path)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      var random = SeededRandom(seed: 11)
      var (refused, taken) = (0, 0)
      for trial in 0..<200 {
        var bytes = whole
        if trial % 4 == 0 {
          bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))
        } else {
          for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8(
              1 << Int.random(in: 0..<8, using: &random))
          }
        }
        try bytes.write(to: URL(fileURLWithPath: broken))
        do {
          _ = try SonataNetwork.circuit(path: broken)
          taken += 1
        } catch {
          #expect(error is any InputError, "trial \(trial): \(error)")
          refused += 1
        }
      }
      #expect(refused > 50 && refused + taken == 200)
    }

    /// The process that reads ends with whoever asked, and its end is a damaged file.
    @Test func aReaderThatBreaksDownIsADamagedFile() throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let path = folder + "whole.h5"
      try Draft().write(to: path)
      var input: HDF5Input? = try HDF5Input(path: path)
      let child = try #require(input).reader.child
      #expect(try input?.numbers("nodes/neurons/0/head", of: Double.self) == [0, 0, 1, 1])
      #expect(try input?.numbers("edges/x/0/syn_weight", of: UInt8.self).first == 0)
      #expect(try input?.text("variant", of: "hatchling") == "released")
      #expect(try input?.text("variant", of: "nodes") == nil)
      #expect(kill(child, SIGSEGV) == 0)
      #expect(throws: CheckpointError.self) { try input?.count("nodes/neurons/0/head") }
      #expect(throws: CheckpointError.self) { try input?.text("variant", of: "hatchling") }
      input = nil
      #expect(kill(child, 0) != 0 && errno == ESRCH)
    }

    /// However much a damaged file claims, reading it takes no more than its own size accounts for.
    @Test func theMemoryOfTheReaderIsBounded() throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let path = folder + "whole.h5"
      try Draft().write(to: path)
      let input = try HDF5Input(path: path)
      let process = "/proc/\(input.reader.child)"
      let limits = try String(contentsOfFile: "\(process)/limits", encoding: .utf8).split(separator: "\n")
      let most = try #require(limits.first { $0.hasPrefix("Max address space") }).split(separator: " ")
      let pages = try String(contentsOfFile: "\(process)/statm", encoding: .utf8).split(separator: " ")
      let taken = try #require(UInt64(pages[0])) * UInt64(sysconf(Int32(_SC_PAGESIZE)))
      let limit = try #require(UInt64(most[3]), "\(most) is no number")
      #expect(limit > taken && limit - taken <= 1 << 28 + 9 * UInt64(input.size))
      #expect(limit - taken > 1 << 26, "there is room to read in")
      #expect(try input.count("edges/x/0/syn_weight") == 8)
    }

    @Test func aSmallNetworkIsASmallFile() throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let path = folder + "net.h5"
      let graph = try Compiler().circuit(from: Self.weights(3)).graph
      _ = try GraphFormat.sonata.write(ExportedGraph(graph), to: path)
      let edges = ExportedGraph(graph).edgeCount
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count < 200_000 + 32 * edges)
      #expect(try SonataNetwork.circuit(path: path).count(of: .x) == graph.count(of: .x))
    }

    /// Graphs of neurons are for others; what is asked of them is said.
    @Test func aDirectGraphIsWrittenAndNotReadBack() throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let path = folder + "net.h5"
      let graph = try Compiler().direct(from: Self.weights(5), options: DirectOptions()).graph
      _ = try GraphFormat.sonata.write(ExportedGraph(graph), to: path)
      #expect(throws: CheckpointError.self) { try SonataNetwork.circuit(path: path) }
      let input = try HDF5Input(path: path)
      #expect(try input.count("edges/x/source_node_id") == graph.count(of: .x))
      #expect(try input.numbers("edges/token_y/0/syn_weight", of: Float.self).contains { $0 < 0 })
    }

    /// What a link takes from another file is missing here: nobody has looked at that file.
    @Test func noLinkIsFollowedIntoAnotherFile() throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let (path, other) = (folder + "linked.h5", folder + "other.h5")
      for place in [path, other] { try Draft().write(to: place) }
      for name in ["/edges/x/target_node_id", "/edges/y", "/hatchling"] {
        try Draft().write(to: path)
        hdf5Lock.lock()
        defer { hdf5Lock.unlock() }
        let file = H5Fopen(path, 1, hatchling_h5p_default())
        #expect(H5Ldelete(file, name, hatchling_h5p_default()) >= 0)
        #expect(
          H5Lcreate_external(other, name, file, name, hatchling_h5p_default(), hatchling_h5p_default()) >= 0)
        H5Fclose(file)
        #expect(throws: CheckpointError.self, "\(name)") { try SonataNetwork.circuit(path: path) }
      }
    }

    @Test func otherFilesAreNoNetworks() throws {
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let path = folder + "other.h5"
      let file = try HDF5File(path: path)
      try file.group("weights")
      try file.commit()
      #expect(throws: CheckpointError.self) { try SonataNetwork.circuit(path: path) }
      #expect(!SonataNetwork.mayBe(folder) && !SonataNetwork.mayBe("/nowhere"))
    }
  }

  /// A circuit of 4 neurons, 2 hubs and 3 tokens, part by part.
  private struct Draft {
    struct Edges {
      var sourcePopulation, targetPopulation: String
      var (sources, targets, places) = ([UInt32](), [UInt32](), [UInt32]())
      var weights: [Float] = []

      init(_ source: String, _ sources: UInt32, _ target: String, _ targets: UInt32) {
        (sourcePopulation, targetPopulation) = (source, target)
        for target in 0..<targets {
          for source in 0..<sources {
            self.sources.append(source)
            self.targets.append(target)
            places.append(UInt32(places.count))
            weights.append(Float(places.count) - 2.5)
          }
        }
      }
    }

    var (format, form, layers, variant) = (SonataNetwork.format, "circuit", "2", "released")
    var hubs = 2
    var heads: [Int32] = [0, 0, 1, 1]
    var frequencies: [Float] = [0.1, 0.1, 0.1, 0.1]
    var damping: [Float] = [0, 0, 0, 0]
    var edges = [
      "embedding": Edges("tokens", 3, "hubs", 2), "x": Edges("hubs", 2, "neurons", 4),
      "y": Edges("hubs", 2, "neurons", 4), "encoder": Edges("neurons", 4, "hubs", 2),
      "readout": Edges("hubs", 2, "readouts", 3), "plastic": Edges("hubs", 2, "neurons", 4),
      "partner": Edges("neurons", 0, "neurons", 0),
    ]

    func write(to path: String) throws {
      let file = try HDF5File(path: path)
      try file.group(
        "hatchling",
        [
          ("format", .text(format)), ("form", .text(form)), ("n_layer", .text(layers)),
          ("variant", .text(variant)),
        ])
      for (name, count) in [("neurons", 4), ("tokens", 3), ("readouts", 3)] {
        try file.group("nodes/\(name)/0")
        try file.dataset("nodes/\(name)/node_type_id", .int32s(Array(repeating: 0, count: count)))
      }
      try file.group("nodes/hubs")
      // A large one is claimed and not written.
      if hubs > 2 {
        _ = try file.array("nodes/hubs/node_type_id", of: Int32.self, count: hubs)
      } else {
        try file.dataset("nodes/hubs/node_type_id", .int32s(Array(repeating: 0, count: hubs)))
      }
      try file.dataset("nodes/neurons/0/head", .int32s(heads))
      try file.dataset("nodes/neurons/0/frequency", .floats(frequencies))
      try file.dataset("nodes/neurons/0/damping", .floats(damping))
      for (kind, edges) in edges {
        let group = "edges/\(kind)"
        try file.group("\(group)/0")
        try file.dataset(
          "\(group)/source_node_id", .uint32s(edges.sources),
          [("node_population", .text(edges.sourcePopulation))])
        try file.dataset(
          "\(group)/target_node_id", .uint32s(edges.targets),
          [("node_population", .text(edges.targetPopulation))])
        try file.dataset("\(group)/edge_group_index", .uint32s(edges.places))
        try file.dataset("\(group)/0/syn_weight", .floats(edges.weights))
        try file.dataset("\(group)/0/sign", .int32s(edges.sources.map { _ in 1 }))
      }
      try file.commit()
    }
  }
#endif
