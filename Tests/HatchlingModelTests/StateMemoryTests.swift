import HatchlingModel
import Testing

/// A network whose plastic weights would not fit is refused before anything is made for it.
@Suite struct StateMemoryTests {
  @Test func halfOfMemoryIsTheLimit() throws {
    let sizes = Hyperparameters(neurons: 100, synapticDimension: 84, heads: 2, layers: 3, vocabulary: 5)
    // L · n · (d + 16) numbers.
    #expect(sizes.stateBytes(bytesPerWeight: 4) == 120_000 && sizes.stateBytes(bytesPerWeight: 8) == 240_000)
    try sizes.checkState(bytesPerWeight: 4, memory: 240_000)
    #expect(throws: StateMemoryError.tooLarge(layers: 3, needed: 120_000, limit: 119_999)) {
      try sizes.checkState(bytesPerWeight: 4, memory: 239_999)
    }
  }

  @Test func hugeSizesDoNotOverflow() {
    let sizes = Hyperparameters(
      neurons: 1 << 40, synapticDimension: 1 << 20, heads: 1, layers: 10_000, vocabulary: 2)
    #expect(sizes.stateBytes(bytesPerWeight: 4) == .max)
    #expect(throws: StateMemoryError.self) { try sizes.checkState(bytesPerWeight: 4) }
  }
}
