import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// Weights that are finite and too large: float32 overflows while a text is read. Rules make 0 of a drive that is no number, so that without a look
/// the run would go on with numbers that are none of the network's.
@Suite struct NotFiniteTests {
  @Test(arguments: Variant.allCases, 0..<8)
  func everyEngineStopsAtTheSameTokenAndLayer(variant: Variant, seed: Int) throws {
    let sizes = Hyperparameters.random(seed: UInt64(seed), variant: variant)
    var weights = Weights.random(sizes, seed: UInt64(seed), rotates: seed % 2 == 0, damping: seed % 4 < 2)
    // x ~ 10^s: σ x̃ ~ 10^2s, which float holds up to 10^38.
    let scale: Float = [1e12, 1e18, 1e19, 1e20][seed % 4]
    weights.decoderX = weights.decoderX.map { $0 * scale }
    let tokens = randomTokens(12, vocabulary: sizes.vocabulary, seed: UInt64(seed))
    let circuit = try Compiler().circuit(from: weights).graph
    let direct = try Compiler().direct(from: weights).graph
    let place = "seed \(seed), \(variant)"

    let expected = failure(TensorEngine(weights), tokens)
    let double = TensorEngine(weights.converted(to: Double.self))
    if variant.normalises { #expect(failure(double, tokens) == nil, "\(place): double holds all of it") }
    if scale < 1e15 && variant.normalises {
      #expect(expected == nil, "\(place)")
    } else if seed % 4 > 1 {
      #expect(expected != nil, "\(place)")
    }
    for options in [(false, false), (true, true)] {
      let engine = try CircuitEngine(
        circuit, options: CircuitEngineOptions(screens: options.0, defersWrites: options.1))
      #expect(failure(engine, tokens)?.spot == expected?.spot, "\(place), \(options)")
    }
    let plain = try Run.interpreting(circuit, rules: DragonRules<Float>.self)
    #expect(failure(plain, tokens)?.spot == expected?.spot, "\(place), plainly")
    let chunks = thrown { _ = try TensorEngine(weights).read(tokens, chunk: 5) }
    #expect(chunks?.spot == expected?.spot, "\(place), in chunks")
    // Neuron to neuron the products are others; it overflows no later.
    if let expected {
      let other = failure(try DirectEngine(direct), tokens)
      #expect(other.map { $0.position <= expected.position } == true, "\(place), direct")
    }
  }

  @Test func theErrorNamesTokenLayerAndQuantity() throws {
    let sizes = Hyperparameters(
      neurons: 16, synapticDimension: 16, heads: 2, layers: 2, vocabulary: 8, variant: .released)
    var weights = Weights.random(sizes, seed: 3)
    weights.decoderX = weights.decoderX.map { $0 < 0 ? -3.4e38 : 3.4e38 }
    let error = failure(TensorEngine(weights), [5, 6, 7])
    #expect(error?.token == 5 && error?.position == 0 && error?.layer == 1 && error?.quantity == .driveX)
    #expect("\(try #require(error))".hasPrefix("token 5 at offset 0: drive of x in layer 1 is not a finite"))
  }

  private func failure(_ engine: some SteppingEngine, _ tokens: [Int]) -> NotFiniteError? {
    thrown { for token in tokens { try engine.step(token) } }
  }

  private func thrown(_ body: () throws -> Void) -> NotFiniteError? {
    do {
      try body()
    } catch let error as NotFiniteError {
      return error
    } catch { Issue.record("\(error)") }
    return nil
  }
}

extension NotFiniteError {
  /// Token and layer; which of several quantities of one layer overflows first may depend on the order of sums.
  fileprivate var spot: [Int?] { [position, token, layer] }
}
