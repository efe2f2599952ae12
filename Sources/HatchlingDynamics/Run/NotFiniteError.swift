import HatchlingModel
import HatchlingNumerics

/// A quantity became NaN or infinite while a token was read. What follows from it would look like a prediction and be none.
public struct NotFiniteError: InputError, Equatable {
  public let token: Int
  /// Where in the stream.
  public let position: Int
  /// 1 … L; nil for the predictions.
  public let layer: Int?
  public let quantity: Quantity

  package init(token: Int, position: Int, layer: Int?, quantity: Quantity) {
    self.token = token
    self.position = position
    self.layer = layer
    self.quantity = quantity
  }

  public var description: String {
    let place = layer.map { "in layer \($0)" } ?? "after the last layer"
    return
      "token \(token) at offset \(position): \(quantity.rawValue) \(place) is not a finite number; the weights are too large for this network's precision"
  }
}
