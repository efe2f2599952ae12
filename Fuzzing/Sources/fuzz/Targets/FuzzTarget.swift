import CFuzzing
import Foundation
import HatchlingNumerics

/// What is fed with bytes that nobody checked. The same code runs under the fuzzer (`Fuzzing/`) and in `make test`, which replays the
/// corpus.
enum FuzzTarget: String, CaseIterable, Sendable {
  /// The container and the network in it.
  case safetensors
  /// What `torch.save` writes: zip, pickle, storages.
  case archive
  /// The pickle alone, packed into an archive here.
  case pickle
  case numpy
  /// A saved state, restored into engines that fit it.
  case state
  /// A neuron graph, run, taken apart for training and put together again.
  case graph
  /// The checkpoint of a training run, of weights or of a graph, resumed.
  case checkpoint
  #if HDF5
    /// A network in SONATA's format, which libhdf5 reads in a process of its own; run.
    case sonata
  #endif
  /// A list of arguments, parsed and not run.
  case arguments
  /// Random legal files, whose values must come back.
  case files
  /// Random networks, whose forms must agree.
  case networks

  /// - Throws: ``FuzzFailure`` for an input that shows a mistake of ours. Refusing the input is none.
  func run(_ input: [UInt8]) throws {
    switch self {
    case .safetensors: try refusing { try HostileFiles.readCheckpoint(Self.framed(input)) }
    case .archive: try refusing { try HostileFiles.readCheckpoint(input) }
    case .pickle: try refusing { try HostileFiles.readCheckpoint(StoredZip.torch(pickle: input)) }
    case .numpy: try refusing { try HostileFiles.readArray(input) }
    case .state: try refusing { try HostileFiles.restoreState(Self.framed(input)) }
    case .graph: try refusing { try HostileFiles.readGraph(Self.framed(input)) }
    case .checkpoint: try refusing { try HostileFiles.resumeTraining(Self.framed(input)) }
    #if HDF5
      case .sonata: try refusing { try HostileFiles.readSonata(input) }
    #endif
    case .arguments: try HostileArguments.parse(input)
    case .files: try LegalFiles.writeAndRead(input)
    case .networks: _ = try RandomNetworks.compare(input)
    }
  }

  /// As ``run(_:)``. An input may take 4 times its bytes and 64 MB of memory, and a second of processor time. What is made once and kept
  /// should have been made before.
  func runMeasured(_ input: [UInt8]) throws {
    fuzzing_count_memory()
    fuzzing_forget_peak()
    let (before, start) = (fuzzing_bytes(), Self.processorSeconds)
    try run(input)
    let (bytes, seconds) = (fuzzing_peak() - before, Self.processorSeconds - start)
    try mustHold(
      bytes <= 4 * input.count + 64 << 20, "\(input.count) bytes of input took \(bytes) bytes of memory")
    try mustHold(seconds <= 1, "\(input.count) bytes of input took \(seconds) s of processor time")
  }

  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Inputs to begin with: legal ones, in the formats of today.
  func seeds() throws -> [[UInt8]] {
    switch self {
    case .safetensors: try HostileFiles.safetensorsSeeds()
    case .archive: [StoredZip.torch(pickle: HostileFiles.statePickle)]
    case .pickle: [HostileFiles.statePickle]
    case .numpy: HostileFiles.arraySeeds
    case .state: try HostileFiles.stateSeeds()
    case .graph: try HostileFiles.graphSeeds()
    case .checkpoint: try HostileFiles.checkpointSeeds()
    #if HDF5
      case .sonata: try HostileFiles.sonataSeeds()
    #endif
    case .arguments: HostileArguments.seeds
    case .files, .networks: (0..<32).map { [UInt8]("seed \($0)".utf8) }
    }
  }

  /// A header without its length is easier to mutate: an input that begins with a brace gets the length in front, of what stands before
  /// its first zero; data begins behind that. Anything else is a whole file.
  private static func framed(_ input: [UInt8]) -> [UInt8] {
    guard input.first == UInt8(ascii: "{") else { return input }
    let header = input.prefix { $0 != 0 }
    return bytes(of: UInt64(header.count)) + header + input.dropFirst(header.count + 1)
  }

  /// The inverse of ``framed(_:)``.
  static func unframed(_ file: [UInt8]) -> [UInt8] {
    let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return file[8..<8 + length] + [0] + file[(8 + length)...]
  }
}

/// Something that must not be, shown by an input.
struct FuzzFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func mustHold(_ holds: Bool, _ what: @autoclosure () -> String) throws {
  if !holds { throw FuzzFailure(what()) }
}

/// Runs what may refuse its input, with an error that is made for users and no other.
private func refusing(_ work: () throws -> Void) throws {
  do { try work() } catch let failure as FuzzFailure { throw failure } catch let error as any InputError {
    try mustHold(!error.description.isEmpty, "an error without words: \(type(of: error))")
  } catch { throw FuzzFailure("an error that no user should see: \(error)") }
}

/// Little-endian bytes of a number.
func bytes(of number: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

/// A file with a name, in memory where the system has a place for that; removed with the last reference.
final class ScratchFile {
  let path: String

  init(_ bytes: [UInt8]? = nil) throws {
    let folder = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    path = "\(folder)/hatchling-fuzz-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    guard let bytes else { return }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count else {
      throw FuzzFailure("no place for \(bytes.count) bytes at \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { unlink(path) }
}

/// Decisions taken from an input, byte by byte; behind its end they are random, but always the same for the same input.
struct Choices: RandomNumberGenerator {
  private let bytes: [UInt8]
  private var offset = 0
  private var random: SeededRandom

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    random = SeededRandom(seed: bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
  }

  mutating func byte() -> UInt8 {
    defer { offset += 1 }
    return offset < bytes.count ? bytes[offset] : UInt8(truncatingIfNeeded: random.next())
  }

  /// The rest is random, and depends on all bytes of the input.
  mutating func next() -> UInt64 { random.next() }

  /// 0 ..< count, count up to 256.
  mutating func below(_ count: Int) -> Int { Int(byte()) % count }
  mutating func flip() -> Bool { byte() & 1 == 1 }
  mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}
