import HatchlingNumerics

/// Powers of λ = 1 − u inside a chunk.
///
/// A score between tokens τ < t is damped by λ^(t − τ) neuron by neuron. It is taken apart as λ^(t − r) · λ^(r − τ) with the first token r
/// of the query's *tile*: for keys before the tile both factors are at most 1, inside it the second is an inverse power. Tiles are
/// short enough that no inverse power overflows; a neuron that keeps less than `negligible` of a weight per token counts as
/// keeping nothing.
struct DecayPowers<Scalar: NetworkScalar> {
  /// λ^k, `(chunk + 1, n)`; nil without damping.
  let powers: NumberStorage<Scalar>?
  /// λ^−k, `(tile, n)`, 0 where λ is negligible.
  let inverses: NumberStorage<Scalar>
  /// Tokens per tile.
  let tile: Int
  private let neurons: Int

  /// - Parameter damping: u, `(n)`; nil for none.
  init(damping: [Float]?, chunk: Int) {
    guard let damping else {
      (powers, inverses, tile, neurons) = (nil, NumberStorage(zeros: 1), 32, 0)
      return
    }
    let isDouble = Scalar.self == Double.self
    let negligible = isDouble ? 1e-60 : 1e-7
    let room = isDouble ? 250.0 : 30.0  // decimal exponents that an inverse power may have
    let keep = damping.map { 1 - Double($0) }
    let least = keep.filter { $0 >= negligible }.min() ?? 1
    let longest = least < 1 ? room * 2.302585 / -Double.log(least) : Double(chunk)
    tile = max(2, min(chunk, Int(min(longest, 1e6))))
    neurons = damping.count
    let table = NumberStorage<Scalar>(zeros: (chunk + 1) * damping.count)
    inverses = NumberStorage(zeros: tile * damping.count)
    for (neuron, lambda) in keep.enumerated() {
      var power = 1.0
      for exponent in 0...chunk {
        table.base[exponent * damping.count + neuron] = Scalar(power)
        power *= lambda
      }
      var inverse = 1.0
      for exponent in 0..<tile where lambda >= negligible {
        inverses.base[exponent * damping.count + neuron] = Scalar(inverse)
        inverse /= lambda
      }
    }
    powers = table
  }

  /// λ^exponent of the neurons from `first` on.
  func power(_ exponent: Int, from first: Int) -> UnsafePointer<Scalar>? {
    powers.map { UnsafePointer($0.base + exponent * neurons + first) }
  }

  /// What multiplies the key of token `token` for queries of the tile that begins at `reference`; both inside the chunk.
  func keyFactor(_ token: Int, reference: Int, from first: Int) -> UnsafePointer<Scalar>? {
    guard let powers else { return nil }
    return token < reference
      ? UnsafePointer(powers.base + (reference - token) * neurons + first)
      : UnsafePointer(inverses.base + (token - reference) * neurons + first)
  }
}
