export declare const lavapipeFolder: string;
export declare const lavapipeDriver: string;
export declare function installVulkan(): void;
