import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// One record per number in one NumPy array: `token` (u4), `layer` (u2), `what` (u2, a place in the description's list, 0 for the token
/// itself with its byte as entry and its surprise as value), `entry` (u4), `time_ms` (f8), `value` (f4 or f8), and where spikes are recorded
/// `substep` (i2; −1 for what is no spike). Beside `RUN.npy` stands
/// `RUN.json`, which names what there is, the convention of time, synapses and streams.
final class NumpyActivityWriter<Scalar: NetworkScalar>: ActivityWriter {
  private let file: AtomicFile
  private let sidecar: AtomicFile
  private let description: RecordingDescription
  /// Of each series, its place in the description's list.
  private let whats: [Int]
  private var records = 0

  /// - Throws: `CheckpointError.unwritable`.
  init(path: String, _ description: RecordingDescription) throws {
    self.description = description
    let paths = RecordingFormat.numpy.files(at: path)
    (file, sidecar) = (try AtomicFile(path: paths[0]), try AtomicFile(path: paths[1]))
    let names = description.series.reduce(into: ["token"]) { if !$0.contains($1.name) { $0.append($1.name) } }
    whats = description.series.map { names.firstIndex(of: $0.name) ?? 0 }
    try file.write(header)
    try sidecar.write([UInt8](JSONEncoder.sidecar.encode(Sidecar(description, names))) + [10])
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func append(_ frame: ActivityFrame<Scalar>) throws {
    let (time, layers) = (description.time, description.layers)
    let count = 1 + frame.samples.reduce(0) { $0 + $1.values.count }
    let bytes = [UInt8](unsafeUninitializedCapacity: count * recordLength) { buffer, filled in
      filled = buffer.count
      guard var place = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
      func add(_ layer: Int, _ what: Int, _ entry: Int, _ time: Double, _ value: Scalar, _ substep: Int?) {
        place.storeBytes(of: UInt32(truncatingIfNeeded: frame.number).littleEndian, as: UInt32.self)
        place.storeBytes(of: UInt16(truncatingIfNeeded: layer).littleEndian, toByteOffset: 4, as: UInt16.self)
        place.storeBytes(of: UInt16(truncatingIfNeeded: what).littleEndian, toByteOffset: 6, as: UInt16.self)
        place.storeBytes(of: UInt32(truncatingIfNeeded: entry).littleEndian, toByteOffset: 8, as: UInt32.self)
        place.storeBytes(of: time.bitPattern.littleEndian, toByteOffset: 12, as: UInt64.self)
        place.storeBytes(of: value, toByteOffset: 20, as: Scalar.self)
        if hasSpikes {
          place.storeBytes(
            of: Int16(clamping: substep ?? -1).littleEndian, toByteOffset: recordLength - 2, as: Int16.self)
        }
        place += recordLength
      }
      add(
        0, 0, frame.token, time.time(token: frame.number, layer: 1, of: layers),
        Scalar(frame.surprise ?? .nan), nil)
      for sample in frame.samples {
        let (series, what) = (description.series[sample.series], whats[sample.series])
        let when = description.time(of: sample, token: frame.number)
        let isPlace = series.kind != .samples || !series.synapses.isEmpty
        for (place, value) in sample.values.enumerated() {
          let entry = sample.entries.map { Int($0[place]) } ?? place
          add(series.layer, what, isPlace ? entry : series.entries[entry], when, value, sample.substep)
        }
      }
    }
    records += count
    try file.write(bytes)
  }

  private var hasSpikes: Bool { description.clock != nil }

  /// Bytes of a record.
  private var recordLength: Int { 20 + MemoryLayout<Scalar>.size + (hasSpikes ? 2 : 0) }

  func finish() throws {
    try file.rewriteStart(header)
    try sidecar.commit()
    try file.commit()
  }

  private var header: [UInt8] {
    let value = Scalar.self == Double.self ? "<f8" : "<f4"
    return NumpyHeader.written(
      "[('token', '<u4'), ('layer', '<u2'), ('what', '<u2'), ('entry', '<u4'), ('time_ms', '<f8'), ('value', '\(value)')\(hasSpikes ? ", ('substep', '<i2')" : "")]",
      shape: [records], length: 256)
  }
}

/// What stands beside a NumPy recording.
private struct Sidecar: Encodable {
  struct What: Encodable { let name, meaning: String }
  struct Stream: Encodable { let name: String, tokens: Int }
  let model, sampling, time: String
  let millisecondsPerToken: Double
  let layersInTime: TimeConvention.Layers
  let layers: Int
  let what: [What]
  /// Of each layer, the synapses in the order of their entries.
  let synapses: [String: [String]]
  let streams: [Stream]

  init(_ description: RecordingDescription, _ names: [String]) {
    (model, sampling) = (description.model, description.summary)
    (time, millisecondsPerToken) = (description.timeInWords, description.time.millisecondsPerToken)
    (layersInTime, layers) = (description.time.layers, description.layers)
    what = names.map { name in
      let meaning = description.series.first { $0.name == name }?.meaning
      return What(name: name, meaning: meaning ?? "the token that was read; its surprise in nats as value")
    }
    synapses = Dictionary(
      description.series.filter { !$0.synapses.isEmpty }.map { series in
        ("\(series.layer)", series.synapses.map(description.names.name))
      }, uniquingKeysWith: { first, _ in first })
    streams = description.streams.map { Stream(name: $0.name, tokens: $0.tokens) }
  }
}

extension JSONEncoder {
  fileprivate static var sidecar: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return encoder
  }
}
