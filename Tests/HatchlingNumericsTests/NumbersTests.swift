import HatchlingNumerics
import Testing

/// Matrices, random numbers, counts of signs, normalisation.
@Suite struct NumbersTests {
  @Test func matricesAreCopiedWhenWritten() {
    var first = Matrix<Float>(rows: 2, columns: 3, [1, 2, 3, 4, 5, 6])
    let second = first
    let before = first.pointer
    first[1, 2] = 9
    #expect(second.elements == [1, 2, 3, 4, 5, 6] && first.elements == [1, 2, 3, 4, 5, 9])
    #expect(second.pointer == before && first.pointer != before)
    let own = first.pointer
    first[0, 0] = 7
    #expect(first.pointer == own && first.row(1)[2] == 9 && first[0, 0] == 7)
    #expect(first.map { Double($0) * 2 }.elements == [14, 4, 6, 8, 10, 18])
  }

  @Test func viewsAreCopiedWhenWritten() {
    let owner = NumberStorage<Double>(zeros: 4)
    owner.base[2] = 5
    var view = Matrix(
      rows: 2, columns: 2, storage: NumberStorage(viewing: owner.base, count: 4, owner: owner))
    #expect(view.pointer == UnsafePointer(owner.base) && view[1, 0] == 5)
    view[1, 0] = 6
    #expect(owner.base[2] == 5 && view.elements == [0, 0, 6, 0])
  }

  /// Storage is aligned and zero, small, and large enough to come from the kernel.
  @Test(arguments: [0, 1, 17, (4 << 20) / 8 - 1, (4 << 20) / 8 + 3]) func storage(count: Int) {
    let storage = NumberStorage<Double>(zeros: count)
    #expect(storage.count == count && Int(bitPattern: storage.base) % 64 == 0 && storage.isOwned)
    #expect((0..<count).allSatisfy { storage.base[$0] == 0 })
  }

  @Test func outsideIsAPrecondition() async {
    for (row, column) in [(2, 0), (0, 3), (-1, 0), (0, -1)] {
      await #expect(processExitsWith: .failure) { [row = row as Int, column = column as Int] in
        _ = Matrix<Float>(rows: 2, columns: 3)[row, column]
      }
      await #expect(processExitsWith: .failure) { [row = row as Int, column = column as Int] in
        var matrix = Matrix<Float>(rows: 2, columns: 3)
        matrix[row, column] = 1
      }
    }
    await #expect(processExitsWith: .failure) { _ = Matrix<Float>(rows: 2, columns: 2, [1, 2, 3]) }
    await #expect(processExitsWith: .success) { _ = Matrix<Float>(rows: 2, columns: 3)[1, 2] }
  }

  /// The published first numbers of SplitMix64, and the moments of what is made of them.
  @Test func randomNumbers() {
    var random = SeededRandom(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in random.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      ])
    var again = SeededRandom(seed: 0)
    again.state = random.state
    #expect(again.next() == random.next())
    let uniform = (0..<20_000).map { _ in random.uniform() }
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    let mean: Double = uniform.reduce(0, +) / 20_000
    #expect(abs(mean - 0.5) < 0.01)
    let normal = (0..<20_000).map { _ in random.normal() }
    #expect(abs(normal.reduce(0, +) / 20_000) < 0.03)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / 20_000 - 1) < 0.05)
  }

  private func signs<Scalar: NetworkScalar>(_: Scalar.Type) {
    let workers = Workers(threads: 3)
    forEveryLength(Scalar.self, seed: 41, lengths + [600_001]) { draw, count, what in
      var values = draw.numbers(count)
      for bad in [nil, Scalar.nan, -Scalar.infinity] {
        if let bad, count > 0 { values[count - 1] = bad }
        let census = SignCensus(of: values, count: count, workers: workers)
        let negative = values.count { $0 != 0 && $0.sign == .minus }
        #expect(census.negative == negative, "\(what)")
        #expect(census.positive == values.count { $0 != 0 } - negative, "\(what)")
        #expect(census.isFinite == (bad == nil || count == 0), "\(what)")
        #expect(census == SignCensus(of: values, count: count), "\(what)")
      }
    }
  }
  @Test func signCensus() {
    signs(Float.self)
    signs(Double.self)
  }

  /// Mean 0, variance 1 but for ε, and the backward pass against differences of the forward one.
  @Test func layerNorm() {
    var random = SeededRandom(seed: 42)
    let z = (0..<19).map { _ in random.normal() + 3 }
    let toward = (0..<19).map { _ in random.normal() }
    func along(_ z: [Double]) -> Double {
      var values = z
      LayerNorm.apply(&values, count: 19, if: true)
      return zip(values, toward).reduce(0) { $0 + $1.0 * $1.1 }
    }
    var normalised = z
    let gain = LayerNorm.apply(&normalised, count: 19, if: true)
    let mean = z.reduce(0, +) / 19
    let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19
    #expect(abs(gain - 1 / (variance + 1e-5).squareRoot()) < 1e-14)
    #expect(zip(z, normalised).allSatisfy { abs(($0 - mean) * gain - $1) < 1e-13 })
    var gradient = toward
    LayerNorm.backward(&gradient, normalised: normalised, gain: gain, count: 19, if: true)
    for place in z.indices {
      var (up, down) = (z, z)
      up[place] += 1e-5
      down[place] -= 1e-5
      #expect(abs((along(up) - along(down)) / 2e-5 - gradient[place]) < 1e-6)
    }
    var same = z
    #expect(LayerNorm.apply(&same, count: 19, if: false) == 1 && same == z)
  }
}
