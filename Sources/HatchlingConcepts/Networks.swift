import HatchlingModel
import HatchlingNumerics
import HatchlingTraining

extension Weights where Scalar == Float {
  /// The same network with its neurons' parts exchanged: inside every head the rows of D_y and of E are dealt out anew, each by itself, so
  /// that a neuron hears, gates and says what three different neurons did. Every row and every clock stays; what they had to do with each
  /// other is gone.
  public func withShuffledNeurons(seed: UInt64) -> Weights {
    var random = SeededRandom(seed: seed)
    let perHead = hyperparameters.neuronsPerHead
    func order() -> [Int] {
      (0..<hyperparameters.heads).flatMap { head in
        (head * perHead..<(head + 1) * perHead).shuffled(using: &random)
      }
    }
    var shuffled = self
    shuffled.decoderY = decoderY.selecting(order())
    shuffled.encoder = encoder.selecting(order())
    return shuffled
  }

  /// An untrained network of the same sizes, as `train` begins; with the clocks and the damping of this one.
  public func untrainedTwin(seed: UInt64) -> Weights {
    var twin = Weights.untrained(hyperparameters, seed: seed)
    (twin.frequencies, twin.damping) = (frequencies, damping)
    return twin
  }
}
