import HatchlingNumerics

/// What was seen of one token, in canonical order: layer by layer, in each series by series, in each entry by entry.
public struct ActivityFrame<Scalar: NetworkScalar>: Sendable {
  /// Of all tokens since the recording began, and in its stream.
  public let number, position: Int
  public let token: Int
  /// The token's loss under the prediction before it, in nats; nil for the first token.
  public let surprise: Double?
  public internal(set) var samples: [ActivitySample<Scalar>] = []
}

/// The part of one series.
public struct ActivitySample<Scalar: NetworkScalar>: Sendable {
  /// Its number in ``RecordingDescription/series``.
  public let series: Int
  /// Of events the numbers of the neurons, of samples the places in the series; nil for all of them.
  public let entries: [Int32]?
  public let values: [Scalar]
  /// Of spikes, the sub-step of the phase, from 0.
  public var substep: Int?
}

/// Where frames go: a file of some format, or a ring in memory.
public protocol ActivityWriter<Scalar>: AnyObject {
  associatedtype Scalar: NetworkScalar
  /// Appends what was seen of one token. - Throws: `CheckpointError` or another `InputError` when it cannot be written.
  func append(_ frame: ActivityFrame<Scalar>) throws
  /// Everything is on disk, then the file takes its name; without this call there is none.
  func finish() throws
}

/// The formats of recordings.
public enum RecordingFormat: String, Sendable, Hashable, CaseIterable {
  /// HDF5, after SONATA.
  case sonata = "h5"
  /// HDF5, after Neurodata Without Borders.
  case nwb
  /// One NumPy array of records, beside it a JSON description.
  case numpy = "npy"
  case csv

  /// By the ending of a file. - Throws: ``ActivityError/unknownFormat(path:)``.
  public init(path: String) throws(ActivityError) {
    guard let dot = path.lastIndex(of: "."), let format = Self(rawValue: String(path[dot...].dropFirst()))
    else { throw .unknownFormat(path: path) }
    self = format
  }

  /// The files of a recording: a NumPy array has its description beside it.
  public func files(at path: String) -> [String] {
    self == .numpy ? [path, path.dropLast(".npy".count) + ".json"] : [path]
  }

  /// Begins a file. - Throws: ``ActivityError``, `CheckpointError`.
  public func writer<Scalar: NetworkScalar>(
    to path: String, _ description: RecordingDescription, _: Scalar.Type
  ) throws -> any ActivityWriter<Scalar> {
    switch self {
    case .csv: return try CSVActivityWriter<Scalar>(path: path, description)
    case .numpy: return try NumpyActivityWriter<Scalar>(path: path, description)
    case .sonata, .nwb:
      #if HDF5
        if self == .sonata { return try SonataWriter<Scalar>(path: path, description) }
        return try NWBWriter<Scalar>(path: path, description)
      #else
        throw ActivityError.withoutHDF5(path: path)
      #endif
    }
  }
}

/// The last frames, for whoever watches live.
public final class ActivityRing<Scalar: NetworkScalar>: ActivityWriter {
  private var ring: [ActivityFrame<Scalar>] = []
  private let capacity: Int
  private var oldest = 0

  public init(capacity: Int) {
    precondition(capacity > 0, "a ring of nothing")
    self.capacity = capacity
  }

  public func append(_ frame: ActivityFrame<Scalar>) {
    if ring.count < capacity { return ring.append(frame) }
    ring[oldest] = frame
    oldest = (oldest + 1) % capacity
  }

  public func finish() {}

  /// Oldest first.
  public var frames: [ActivityFrame<Scalar>] { Array(ring[oldest...] + ring[..<oldest]) }
}
