import HatchlingNumerics

extension Weights where Scalar == Float {
  /// See ``Model/fingerprint``.
  public var fingerprint: String {
    precondition(part == nil, "the other neurons are elsewhere")
    return fingerprint { hash, mix in mix(&hash) }
  }

  /// The same where the neurons are spread over machines.
  ///
  /// - Parameter inTurn: has every machine, in the order of their neurons, mix into the hash what it has.
  package func fingerprint(
    inTurn: (_ hash: inout ContentHash, _ mix: (inout ContentHash) -> Void) -> Void
  ) -> String {
    var hash = ContentHash()
    func mix(_ bytes: UnsafeRawBufferPointer, ofNeurons: Bool = false) {
      hash.begin()
      if ofNeurons { inTurn(&hash) { $0.update(bytes) } } else { hash.update(bytes) }
      hash.end()
    }
    let sizes = hyperparameters
    let text =
      "\(sizes.neurons) \(sizes.synapticDimension) \(sizes.heads) \(sizes.layers) \(sizes.vocabulary) \(sizes.variant.rawValue)"
    Array(text.utf8).withUnsafeBytes { mix($0) }
    for matrix in [decoderX, decoderY, encoder] {
      mix(UnsafeRawBufferPointer(start: matrix.pointer, count: matrix.count * 4), ofNeurons: true)
    }
    for matrix in [embedding, readout] {
      mix(UnsafeRawBufferPointer(start: matrix.pointer, count: matrix.count * 4))
    }
    frequencies.withUnsafeBytes { mix($0) }
    damping?.withUnsafeBytes { mix($0, ofNeurons: true) }
    if let plasticSynapses {
      mix(
        UnsafeRawBufferPointer(start: plasticSynapses.pointer, count: plasticSynapses.count), ofNeurons: true)
    }
    let digits = String(hash.value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// A 64-bit hash of parts, each of them bytes in four independent lanes (multiply and rotate), for telling models apart, not for security.
/// The bytes of a part may come in any pieces.
package struct ContentHash: BitwiseCopyable, Sendable {
  /// Of all parts that ended.
  package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
  private var (a, b, c, d) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
  private var count = 0
  /// Bytes that do not fill all lanes yet.
  private var waiting = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
  private var waitingCount = 0

  private static let prime: UInt64 = 0x9E37_79B1_85EB_CA87

  package init() {}

  /// A part begins.
  package mutating func begin() {
    (a, b, c, d) = (value &+ Self.prime, value ^ Self.prime, value, value &- Self.prime)
    (count, waitingCount) = (0, 0)
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    count += bytes.count
    var offset = 0
    while waitingCount > 0 && offset < bytes.count {
      wait(for: bytes[offset])
      offset += 1
    }
    while offset + 32 <= bytes.count {
      turnAll(
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
      offset += 32
    }
    while offset < bytes.count {
      wait(for: bytes[offset])
      offset += 1
    }
  }

  /// The part ends.
  package mutating func end() {
    let rest = waitingCount
    withUnsafeBytes(of: waiting) { waiting in
      for byte in waiting[..<rest] { a = Self.turn(a, UInt64(byte)) }
    }
    var hash = Self.turn(Self.turn(Self.turn(Self.turn(UInt64(count), a), b), c), d)
    hash ^= hash >> 33
    hash = hash &* Self.prime
    value = hash ^ hash >> 29
  }

  private mutating func wait(for byte: UInt8) {
    withUnsafeMutableBytes(of: &waiting) { $0[waitingCount] = byte }
    waitingCount += 1
    guard waitingCount == 32 else { return }
    turnAll(waiting.0, waiting.1, waiting.2, waiting.3)
    waitingCount = 0
  }

  @inline(__always)
  private mutating func turnAll(_ w: UInt64, _ x: UInt64, _ y: UInt64, _ z: UInt64) {
    a = Self.turn(a, w)
    b = Self.turn(b, x)
    c = Self.turn(c, y)
    d = Self.turn(d, z)
  }

  @inline(__always)
  private static func turn(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let mixed = lane &+ word &* 0xC2B2_AE3D_27D4_EB4F
    return (mixed << 31 | mixed >> 33) &* prime
  }
}
