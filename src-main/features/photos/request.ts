export interface PhotosRequest {
  readonly folder: string;
  /** MobileNetV2's file: what the variety of the set is judged by. */
  readonly mobileNet: string;
}
